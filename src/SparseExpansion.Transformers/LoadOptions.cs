using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Settings for loading a checkpoint.</summary>
public sealed record LoadOptions
{
    /// <summary>Device that holds the weights. Default: the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>
    /// Type of the weights: float32 (default), bfloat16, float16 or float64; null keeps the type that config.json
    /// names, or float32
    /// where it names none. float16 is very slow on CPUs.
    /// </summary>
    public ScalarType? DType { get; init; } = ScalarType.Float32;

    /// <summary>
    /// For expanded folders: true (default) uses packed experts where they lie in the file, false copies them into
    /// memory;
    /// see <see cref="ExpandedLoadOptions.MemoryMap"/>.
    /// </summary>
    public bool MemoryMap { get; init; } = true;

    /// <summary>
    /// For expanded folders: kinds of routers that may occur. Default: those of the library;
    /// <see cref="RouterKinds.With"/> adds a router of your own.
    /// </summary>
    public RouterKinds Routers { get; init; } = RouterKinds.Default;

    /// <summary>
    /// For dense folders on the CPU: true uses weights where they lie in the files, which must not change while the
    /// model lives, so that a model
    /// larger than memory can be loaded and expanded. Weights of another type than the one asked for are converted
    /// once, into files in
    /// <see cref="ScratchFolder"/>. False (default) copies all weights into memory, where single tokens are multiplied
    /// fastest.
    /// </summary>
    public bool MapDenseWeights { get; init; }

    /// <summary>
    /// Folder on a disk for weights that must be converted; nothing stays there. Default: the system's temporary
    /// folder, which on some systems is memory.
    /// </summary>
    public string ScratchFolder { get; init; } = Path.GetTempPath();

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="DType"/> is not a floating type.</exception>
    /// <exception cref="ArgumentException"><see cref="Routers"/> is null, or <see cref="ScratchFolder"/> is null or
    /// blank.</exception>
    public void Validate()
    {
        if (DType is not (null or ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16))
        {
            throw new ArgumentOutOfRangeException(
                nameof(DType), DType, "Must be float32, float64, bfloat16, float16 or null.");
        }

        if (Routers is null)
        {
            throw new ArgumentException($"{nameof(Routers)} must not be null.", nameof(Routers));
        }

        ArgumentException.ThrowIfNullOrWhiteSpace(ScratchFolder, nameof(ScratchFolder));
    }
}
