namespace SparseExpansion.Routing;

/// <summary>A router that can do with one expert less.</summary>
public interface IReducibleRouter : IRouter
{
    /// <summary>
    /// A new router without an expert: its tokens go to their next best one, later experts move up, all else stays.
    /// </summary>
    /// <param name="expert">In [0, k), k at least 2.</param>
    /// <returns>A router of k − 1 experts on the same device; the caller disposes it.</returns>
    IReducibleRouter Without(int expert);
}
