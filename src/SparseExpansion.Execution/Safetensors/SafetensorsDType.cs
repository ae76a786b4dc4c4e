namespace SparseExpansion.Execution.Safetensors;

/// <summary>Names of the element types in safetensors files.</summary>
internal static class SafetensorsDType
{
    /// <summary>The supported names, for messages.</summary>
    public const string Supported = "F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL";

    /// <summary>The name of a type in a file, or null where the format has none.</summary>
    public static string? NameOf(ElementType type) => type switch
    {
        ElementType.Float64 => "F64",
        ElementType.Float32 => "F32",
        ElementType.Float16 => "F16",
        ElementType.BFloat16 => "BF16",
        ElementType.Int64 => "I64",
        ElementType.Int32 => "I32",
        ElementType.Int16 => "I16",
        ElementType.Int8 => "I8",
        ElementType.Byte => "U8",
        ElementType.Bool => "BOOL",
        _ => null,
    };

    /// <summary>The type of a name, or null if it is not supported.</summary>
    public static ElementType? TypeOf(string? name) => name switch
    {
        "F64" => ElementType.Float64,
        "F32" => ElementType.Float32,
        "F16" => ElementType.Float16,
        "BF16" => ElementType.BFloat16,
        "I64" => ElementType.Int64,
        "I32" => ElementType.Int32,
        "I16" => ElementType.Int16,
        "I8" => ElementType.Int8,
        "U8" => ElementType.Byte,
        "BOOL" => ElementType.Bool,
        _ => null,
    };
}
