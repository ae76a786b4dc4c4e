using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>The dense kernel of each instruction set for a format.</summary>
internal static class DenseKernels<TFormat>
    where TFormat : struct, IValueFormat
{
    /// <summary>Multiplies; see <see cref="DenseKernel{TFormat, TLanes, TVector}.Run"/>.</summary>
    public static void Multiply(InstructionSet set, in DenseBlock block)
    {
        switch (set)
        {
            case InstructionSet.Avx512:
                DenseKernel<TFormat, Lanes512, Vector512<float>>.Run(block);
                break;
            case InstructionSet.Avx2:
                DenseKernel<TFormat, Lanes256, Vector256<float>>.Run(block);
                break;
            default:
                DenseKernel<TFormat, Lanes128, Vector128<float>>.Run(block);
                break;
        }
    }

    /// <summary>Widens values to float32; see <see cref="WideningKernel{TFormat, TLanes, TVector}.Run"/>.</summary>
    public static unsafe void Widen(InstructionSet set, byte* source, float* target, nint count)
    {
        switch (set)
        {
            case InstructionSet.Avx512:
                WideningKernel<TFormat, Lanes512, Vector512<float>>.Run(source, target, count);
                break;
            case InstructionSet.Avx2:
                WideningKernel<TFormat, Lanes256, Vector256<float>>.Run(source, target, count);
                break;
            default:
                WideningKernel<TFormat, Lanes128, Vector128<float>>.Run(source, target, count);
                break;
        }
    }

    /// <summary>Adds rows with factors; see <see cref="WeightedSumKernel{TFormat, TLanes, TVector}.Run"/>.</summary>
    public static void AddWeighted(InstructionSet set, in WeightedSum sum)
    {
        switch (set)
        {
            case InstructionSet.Avx512:
                WeightedSumKernel<TFormat, Lanes512, Vector512<float>>.Run(sum);
                break;
            case InstructionSet.Avx2:
                WeightedSumKernel<TFormat, Lanes256, Vector256<float>>.Run(sum);
                break;
            default:
                WeightedSumKernel<TFormat, Lanes128, Vector128<float>>.Run(sum);
                break;
        }
    }
}
