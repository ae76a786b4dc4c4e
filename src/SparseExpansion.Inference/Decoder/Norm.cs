using SparseExpansion.Inference.Vectors;
using SparseExpansion.Models;

namespace SparseExpansion.Inference.Decoder;

/// <summary>A norm of rows.</summary>
/// <param name="kind">Its formula.</param>
/// <param name="epsilon">Added to the variance.</param>
/// <param name="weight">[features].</param>
/// <param name="bias">[features]; empty: none.</param>
internal sealed unsafe class Norm(NormKind kind, double epsilon, float[] weight, float[] bias)
{
    /// <summary>Normalizes rows; the target may be the source.</summary>
    /// <param name="source">[rows, features].</param>
    /// <param name="target">[rows, features].</param>
    /// <param name="rows">Number of rows.</param>
    public void Apply(float* source, float* target, int rows)
    {
        for (int row = 0; row < rows; row++)
        {
            nint at = (nint)row * weight.Length;
            Apply(source + at, target + at);
        }
    }

    /// <summary>Normalizes one row; the target may be the source.</summary>
    public void Apply(float* source, float* target)
    {
        var from = new ReadOnlySpan<float>(source, weight.Length);
        var to = new Span<float>(target, weight.Length);
        if (kind == NormKind.Layer)
        {
            Norms.Layer(from, weight, bias, epsilon, to);
        }
        else
        {
            Norms.Rms(from, weight, epsilon, kind == NormKind.RmsAroundOne ? 1 : 0, to);
        }
    }
}
