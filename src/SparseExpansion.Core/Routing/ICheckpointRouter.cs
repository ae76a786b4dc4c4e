namespace SparseExpansion.Routing;

/// <summary>A router that can be written to a checkpoint and made anew by <see cref="Routers.RouterKinds"/>.</summary>
public interface ICheckpointRouter : IRouter
{
    /// <summary>All that is needed to make the router again.</summary>
    /// <returns>A state whose tensors are the router's own, alive as long as the router.</returns>
    RouterState GetState();
}
