using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Dense;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Inference.Linears;

/// <summary>A weight in float32, bfloat16 or float16, as it lies in a file.</summary>
/// <param name="weight">[out_features · in_features]; taken over.</param>
/// <param name="bias">[out_features] float32, or null; taken over.</param>
/// <param name="inFeatures">Columns.</param>
/// <param name="outFeatures">Rows.</param>
internal sealed unsafe class DenseLinear(NativeArray weight, NativeArray? bias, int inFeatures, int outFeatures)
    : MatrixLinear(inFeatures, outFeatures)
{
    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, float* output, nint stride) => DenseMultiplication.Run(
        new MatrixView(weight.Address, InFeatures, weight.Type), OutFeatures, InFeatures, tokens.View, tokens.Count,
        new MatrixView((nint)output, stride, ElementType.Float32), bias?.Address ?? 0, tokens.Threads);

    /// <inheritdoc/>
    public override void ReadRow(int row, Span<float> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, OutFeatures);
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, InFeatures, nameof(target));
        byte* source = weight.Pointer + (nint)row * InFeatures * ElementTypes.SizeOf(weight.Type);
        fixed (float* to = target)
        {
            switch (weight.Type)
            {
                case ElementType.Float32:
                    new ReadOnlySpan<float>(source, InFeatures).CopyTo(target);
                    break;
                case ElementType.BFloat16:
                    DenseKernels<BFloat16Format>.Widen(InstructionSets.Best, source, to, InFeatures);
                    break;
                default:
                    DenseKernels<Float16Format>.Widen(InstructionSets.Best, source, to, InFeatures);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        weight.Dispose();
        bias?.Dispose();
    }
}
