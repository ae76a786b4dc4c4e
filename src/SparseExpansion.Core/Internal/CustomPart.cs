using static TorchSharp.torch;

namespace SparseExpansion.Internal;

/// <summary>Pruners, routers, statistics and the like that users of the library write: what they are handed they may write to, and what they return is checked.</summary>
internal static class CustomPart
{
    /// <summary>True for what does not come with this library.</summary>
    public static bool Is(object part) => part.GetType().Assembly != typeof(CustomPart).Assembly;

    /// <summary>Name and class of a part, for messages.</summary>
    public static string Describe(string name, object part) => $"'{name}' ({part.GetType().Name})";
}
