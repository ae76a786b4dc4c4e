namespace SparseExpansion.Execution.Tiling;

/// <summary>
/// Rows of numbers in CPU memory whose elements lie side by side; the owner keeps the memory alive.
/// </summary>
/// <param name="Data">The first element.</param>
/// <param name="RowStride">Elements from one row to the next; may be larger than a row, or 0 to repeat it.</param>
/// <param name="DType">float32 or bfloat16; dense weights also float16.</param>
internal readonly unsafe record struct MatrixView(nint Data, long RowStride, ElementType DType)
{
    /// <summary>Nothing: an absent bias.</summary>
    public static MatrixView None => default;

    public bool IsNone => Data == 0;

    public bool IsBFloat16 => DType == ElementType.BFloat16;

    /// <summary>Bytes of an element.</summary>
    public int ElementSize => ElementTypes.SizeOf(DType);

    /// <summary>The first element of a row.</summary>
    public byte* Row(long row) => (byte*)Data + row * RowStride * ElementSize;
}
