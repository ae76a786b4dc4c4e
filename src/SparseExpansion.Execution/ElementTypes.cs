namespace SparseExpansion.Execution;

/// <summary>Facts about each <see cref="ElementType"/>.</summary>
internal static class ElementTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int SizeOf(ElementType type) => type switch
    {
        ElementType.Float64 or ElementType.Int64 => 8,
        ElementType.Float32 or ElementType.Int32 => 4,
        ElementType.Float16 or ElementType.BFloat16 or ElementType.Int16 => 2,
        _ => 1,
    };
}
