using System.Runtime.InteropServices;

namespace SparseExpansion.Execution.Safetensors;

/// <summary>A tensor to be written: its description now, its bytes when they are wanted.</summary>
/// <param name="name">The tensor's name in the file.</param>
/// <param name="dtype">Element type.</param>
/// <param name="shape">Sizes; empty for a scalar.</param>
/// <param name="write">Writes the elements, row by row and little-endian: as many bytes as type and shape say.</param>
public sealed class SafetensorsContent(string name, ElementType dtype, IReadOnlyList<long> shape, Action<Stream> write)
{
    /// <summary>The tensor's name in the file.</summary>
    public string Name => name;

    /// <summary>Element type.</summary>
    public ElementType DType => dtype;

    /// <summary>Sizes; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape => shape;

    /// <summary>Bytes of all elements.</summary>
    /// <exception cref="OverflowException">They are more than a number can say.</exception>
    public long ByteLength => Shape.Aggregate((long)ElementTypes.SizeOf(DType), (bytes, size) => checked(bytes * size));

    /// <summary>A tensor of elements in memory.</summary>
    /// <typeparam name="T">A type of as many bytes as an element has.</typeparam>
    /// <param name="name">The tensor's name in the file.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="values">The elements, row by row.</param>
    public static SafetensorsContent Of<T>(
        string name, ElementType dtype, IReadOnlyList<long> shape, ReadOnlyMemory<T> values)
        where T : unmanaged => new(name, dtype, shape, stream => stream.Write(MemoryMarshal.AsBytes(values.Span)));

    internal void Write(Stream stream) => write(stream);
}
