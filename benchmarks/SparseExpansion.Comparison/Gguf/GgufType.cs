namespace SparseExpansion.Comparison.Gguf;

/// <summary>A type of weights in GGUF files.</summary>
/// <param name="Name">Name in llama.cpp.</param>
/// <param name="TensorId">Number in the description of a tensor (<c>ggml_type</c>).</param>
/// <param name="FileId">Number of a file of mostly this type (<c>llama_ftype</c>).</param>
/// <param name="BlockWeights">Weights that are stored together.</param>
/// <param name="BlockBytes">Bytes that they take.</param>
internal sealed record GgufType(string Name, uint TensorId, uint FileId, int BlockWeights, int BlockBytes)
{
    /// <summary>Single precision.</summary>
    public static GgufType F32 { get; } = new("F32", 0, 0, 1, 4);

    /// <summary>The upper half of a single.</summary>
    public static GgufType BF16 { get; } = new("BF16", 30, 32, 1, 2);

    /// <summary>A half as scale, then 32 signed bytes.</summary>
    public static GgufType Q8 { get; } = new("Q8_0", 8, 7, 32, 34);

    /// <summary>A half as scale, then 32 codes of 4 bits around 8.</summary>
    public static GgufType Q4 { get; } = new("Q4_0", 2, 2, 32, 18);

    /// <summary>Bytes of so many weights.</summary>
    /// <exception cref="ArgumentException">They are not whole blocks.</exception>
    public long BytesOf(long weights) => weights % BlockWeights == 0
        ? weights / BlockWeights * BlockBytes
        : throw new ArgumentException($"{weights} weights are not blocks of {BlockWeights}, of which {Name} consists.");
}
