namespace SparseExpansion.Execution.Tiling;

/// <summary>
/// Rows of float32 or bfloat16 in CPU memory whose elements lie side by side; the owner keeps the memory alive.
/// </summary>
/// <param name="Data">The first element.</param>
/// <param name="RowStride">Elements from one row to the next; may be larger than a row, or 0 to repeat it.</param>
/// <param name="Dtype">float32 or bfloat16.</param>
internal readonly unsafe record struct MatrixView(nint Data, long RowStride, ElementType Dtype)
{
    /// <summary>Nothing: an absent bias.</summary>
    public static MatrixView None => default;

    public bool IsNone => Data == 0;

    public bool IsBFloat16 => Dtype == ElementType.BFloat16;

    /// <summary>Bytes of an element.</summary>
    public int ElementSize => IsBFloat16 ? sizeof(ushort) : sizeof(float);

    /// <summary>The first element of a row.</summary>
    public byte* Row(long row) => (byte*)Data + row * RowStride * ElementSize;
}
