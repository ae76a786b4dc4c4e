using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>How a checkpoint is loaded.</summary>
public sealed record LoadOptions
{
    /// <summary>Where the weights are put. Default: the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>
    /// Type of the weights: float32 (default), bfloat16, float16 or float64; null keeps the type that config.json names, or float32
    /// where it names none. float16 is very slow on CPUs.
    /// </summary>
    public ScalarType? DType { get; init; } = ScalarType.Float32;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="DType"/> is not a floating type.</exception>
    public void Validate()
    {
        if (DType is not (null or ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16))
        {
            throw new ArgumentOutOfRangeException(nameof(DType), DType, "Must be float32, float64, bfloat16, float16 or null.");
        }
    }
}
