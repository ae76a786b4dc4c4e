namespace SparseExpansion.Execution.Safetensors;

/// <summary>One tensor of a safetensors file, as its header describes it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Sizes; empty for a scalar.</param>
/// <param name="Offset">Position of the first byte, counted from the start of the file.</param>
/// <param name="ByteLength">Number of bytes.</param>
public sealed record SafetensorsEntry(
    string Name, ElementType DType, IReadOnlyList<long> Shape, long Offset, long ByteLength);
