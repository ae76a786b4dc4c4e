namespace SparseExpansion.Layers;

/// <summary>Names of mixtures whose linear stays in the model and is served by hooks.</summary>
internal static class HookedNames
{
    /// <summary>Name of the mixture among the linear's children, and so in <c>state_dict</c>.</summary>
    public const string Child = "mixture";

    /// <summary>Name of the layer where the linear is the whole model, which has no path in it.</summary>
    public const string Root = "linear";
}
