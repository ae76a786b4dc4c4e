using SparseExpansion.Quantization;

namespace SparseExpansion.Expansion.DenseQuantization;

/// <summary>Options of the rounding of weights that stay dense: linears that are not expanded, and embeddings.</summary>
public sealed record DenseQuantizationOptions
{
    /// <summary>Bits and groups. Default: 4 bits in groups of 128.</summary>
    public WeightQuantization Weights { get; init; } = new();

    /// <summary>
    /// Module paths to round, as globs such as <c>*.self_attn.*</c>. Default: empty, which means all linears that are
    /// not expanded, and all embeddings.
    /// </summary>
    public IReadOnlyList<string> Layers { get; init; } = [];

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is null or out of range; the message names it.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Weights);
        ArgumentNullException.ThrowIfNull(Layers);
        Weights.Validate();
        if (Layers.Any(string.IsNullOrWhiteSpace))
        {
            throw new ArgumentException(
                $"{nameof(DenseQuantizationOptions)}.{nameof(Layers)} has an empty pattern.", nameof(Layers));
        }
    }

    /// <summary>All options, for manifests.</summary>
    public override string ToString() =>
        $"{nameof(DenseQuantizationOptions)} {{ Weights = {Weights}, Layers = {string.Join(", ", Layers.DefaultIfEmpty("all"))} }}";
}
