using static TorchSharp.torch;

namespace SparseExpansion.Internal;

/// <summary>
/// Pruners, routers, statistics and the like that users of the library write: what they are
/// handed they may write to, and what they return is checked.
/// </summary>
internal static class CustomPart
{
    /// <summary>True for what does not come with this library.</summary>
    public static bool Is(object part) => part.GetType().Assembly != typeof(CustomPart).Assembly;

    /// <summary>
    /// A copy of a tensor for a part of others, which the caller disposes; null for a part of this library.
    /// </summary>
    public static Tensor? Copy(object part, Tensor tensor)
    {
        if (!Is(part))
        {
            return null;
        }

        using Tensor detached = tensor.detach();
        return detached.clone();
    }

    /// <summary>Name and class of a part, for messages.</summary>
    public static string Describe(string name, object part) => $"'{name}' ({part.GetType().Name})";
}
