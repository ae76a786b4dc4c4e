using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Pruning;

/// <summary>A structured sparsity such as 2:4 does not divide the input features of a layer.</summary>
public sealed class IncompatibleSparsityException : PruningException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Names target and layer.</param>
    /// <param name="target">The sparsity that was asked for.</param>
    /// <param name="layer">Module path of the layer; null where only its weight is known.</param>
    /// <param name="inFeatures">Its input features.</param>
    public IncompatibleSparsityException(string message, NMTarget target, string? layer, long inFeatures)
        : base(message) =>
        (Target, Layer, InFeatures) = (target, layer, inFeatures);

    /// <summary>The sparsity that was asked for.</summary>
    public NMTarget Target { get; }

    /// <summary>Module path of the layer; null where only its weight is known.</summary>
    public string? Layer { get; }

    /// <summary>Input features of the layer: no multiple of the target's group.</summary>
    public long InFeatures { get; }
}
