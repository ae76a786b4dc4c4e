using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>
/// The calibration tokens of an input group, in a fixed order. They may lie in host memory or elsewhere; algorithms
/// stream them through their device in chunks and never hold all of them there unless they say so.
/// </summary>
public interface ITokenSource
{
    /// <summary>Number of tokens n.</summary>
    long TokenCount { get; }

    /// <summary>Width of a token.</summary>
    int Features { get; }

    /// <summary>All tokens in order.</summary>
    /// <param name="chunkTokens">Largest number of tokens in a chunk.</param>
    /// <param name="device">Device of the chunks.</param>
    /// <returns>Tensors [at most <paramref name="chunkTokens"/>, features], float32; the caller disposes each and must
    /// not change it, as it may be a view. Trainers of routers that an expansion calls are given copies.</returns>
    IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device);

    /// <summary>Single tokens, in the order asked for.</summary>
    /// <param name="indices">Positions in [0, n); repetitions allowed.</param>
    /// <param name="device">Device of the tokens.</param>
    /// <returns>[indices, features], float32, a copy; the caller disposes it.</returns>
    Tensor Gather(ReadOnlySpan<long> indices, Device device);
}
