using System.Numerics;
using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Kernels.Avx2;

/// <summary>
/// For each of the 256 masks of eight columns: which stored weight goes to each lane, or a negative number for none.
/// </summary>
internal static unsafe class ExpandTable
{
    private static readonly int[] Entries = Fill(GC.AllocateArray<int>(256 * 8, pinned: true));

    /// <summary>[mask, lane].</summary>
    public static int* Permutations { get; } = (int*)Unsafe.AsPointer(ref Entries[0]);

    private static int[] Fill(int[] entries)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            int mask = i / 8, lane = i % 8;
            entries[i] = ((mask >> lane) & 1) == 0
                ? int.MinValue
                : BitOperations.PopCount((uint)(mask & ((1 << lane) - 1)));
        }

        return entries;
    }
}
