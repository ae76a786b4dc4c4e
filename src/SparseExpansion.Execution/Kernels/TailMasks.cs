using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Kernels;

/// <summary>For each number of valid lanes of four, 0 … 3: all bits of those lanes.</summary>
internal static unsafe class TailMasks
{
    private static readonly uint[] Entries = Fill(GC.AllocateArray<uint>(4 * 4, pinned: true));

    /// <summary>[valid lanes, lane].</summary>
    public static uint* Pointer { get; } = (uint*)Unsafe.AsPointer(ref Entries[0]);

    private static uint[] Fill(uint[] entries)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = i % 4 < i / 4 ? uint.MaxValue : 0;
        }

        return entries;
    }
}
