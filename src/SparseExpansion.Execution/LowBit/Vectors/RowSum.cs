using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>The product of a row, from its partial sums.</summary>
internal static unsafe class RowSum
{
    /// <summary>The sum of the lanes less what counting from the zero point added.</summary>
    /// <param name="sum">A vector of partial sums.</param>
    /// <param name="excess">[lanes] of <see cref="GroupScales.Write"/>.</param>
    /// <param name="ones">[lanes] of <see cref="GroupScales.Sums"/>.</param>
    /// <param name="lanes">A multiple of the vector's width.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Finish<TVectors, TVector>(float* sum, float* excess, float* ones, int lanes)
        where TVectors : ICodeVectors<TVector>
        where TVector : struct
    {
        TVector total = TVectors.Load(sum);
        for (int lane = 0; lane < lanes; lane += TVectors.Width)
        {
            total = TVectors.Subtract(total, TVectors.Load(excess + lane), TVectors.Load(ones + lane));
        }

        return TVectors.One(total);
    }
}
