using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Positions;

/// <summary>Cosines and sines of the rotary angles of some tokens.</summary>
/// <param name="Cosines">float32 [tokens, pairs], or [batch, 1, tokens, pairs] where sequences differ.</param>
/// <param name="Sines">Like <paramref name="Cosines"/>.</param>
internal sealed record RotaryAngles(Tensor Cosines, Tensor Sines) : IDisposable
{
    /// <summary>Rotates the first features of every head; the others stay.</summary>
    /// <param name="heads">[batch, heads, tokens, features].</param>
    /// <returns>A new tensor of the same shape and dtype; the rotation is computed in float32.</returns>
    public Tensor Rotate(Tensor heads)
    {
        using var scope = NewDisposeScope();
        long half = Cosines.size(-1);
        Tensor first = heads.narrow(-1, 0, half);
        Tensor second = heads.narrow(-1, half, half);
        Tensor turned =
            cat([(first * Cosines) - (second * Sines), (second * Cosines).Plus(first * Sines)], -1).to(heads.dtype);
        long rest = heads.size(-1) - (2 * half);
        Tensor result = rest == 0 ? turned : cat([turned, heads.narrow(-1, 2 * half, rest)], -1);
        return result.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Cosines.Dispose();
        Sines.Dispose();
    }
}
