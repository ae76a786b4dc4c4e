using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>Stored values as float32.</summary>
internal static unsafe class WideningKernel<TFormat, TLanes, TVector>
    where TFormat : struct, IValueFormat
    where TLanes : struct, IDenseLanes<TVector>
    where TVector : struct
{
    /// <summary>target[i] = source[i] for i &lt; count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* source, float* target, nint count)
    {
        nint whole = count - (count % TLanes.Width), i = 0;
        for (; i < whole; i += TLanes.Width)
        {
            TLanes.Store(TLanes.Load<TFormat>(source, i), target + i);
        }

        for (; i < count; i++)
        {
            target[i] = TFormat.Load(source, i);
        }
    }
}
