using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>Puts consecutive bytes under the columns of a mask, in registers.</summary>
internal unsafe interface IByteExpander
{
    /// <summary>Sixty-four columns.</summary>
    /// <param name="mask">One bit a column; 16 bytes may be read.</param>
    /// <param name="source">The byte of the first set column; 64 bytes may be read.</param>
    /// <param name="absent">What the other columns get.</param>
    static abstract Vector512<byte> Expand(ulong* mask, byte* source, Vector512<byte> absent);
}
