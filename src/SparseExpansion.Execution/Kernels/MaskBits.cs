using System.Numerics;
using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Counts weights by their mask.</summary>
internal static unsafe class MaskBits
{
    /// <summary>Set bits in a number of bytes, a multiple of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Count(byte* masks, nint bytes)
    {
        nint count = 0;
        for (byte* end = masks + bytes; masks < end; masks += sizeof(ulong))
        {
            count += BitOperations.PopCount(*(ulong*)masks);
        }

        return count;
    }
}
