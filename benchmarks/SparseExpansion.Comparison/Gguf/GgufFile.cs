namespace SparseExpansion.Comparison.Gguf;

/// <summary>
/// Writes Llama models of random weights as GGUF files
/// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3).
/// </summary>
internal static class GgufFile
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const uint Version = 3;

    /// <summary>Writes a file; norms have gains of 1 in single precision.</summary>
    public static void Write(string path, ModelShape shape, GgufType type)
    {
        IReadOnlyList<GgufTensor> tensors = GgufTensor.Of(shape);
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        using var writer = new BinaryWriter(stream);
        WriteHeader(writer, shape, type, tensors);
        Pad(writer);
        var random = new RandomWeights(1);
        foreach (GgufTensor tensor in tensors)
        {
            WriteWeights(writer, tensor, TypeOf(tensor, type), random);
            Pad(writer);
        }
    }

    private static GgufType TypeOf(GgufTensor tensor, GgufType type) => tensor.IsVector ? GgufType.F32 : type;

    private static void WriteHeader(
        BinaryWriter writer, ModelShape shape, GgufType type, IReadOnlyList<GgufTensor> tensors)
    {
        using GgufMetadata metadata = GgufDescription.Of(shape, type);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        writer.Write(metadata.ToArray());
        long offset = 0;
        foreach (GgufTensor tensor in tensors)
        {
            GgufType own = TypeOf(tensor, type);
            GgufMetadata.WriteText(writer, tensor.Name);
            writer.Write(tensor.IsVector ? 1u : 2u);
            writer.Write((ulong)tensor.Columns);
            if (!tensor.IsVector)
            {
                writer.Write((ulong)tensor.Rows);
            }

            writer.Write(own.TensorId);
            writer.Write((ulong)offset);
            offset = Aligned(offset + own.BytesOf(tensor.Weights));
        }
    }

    private static void WriteWeights(BinaryWriter writer, GgufTensor tensor, GgufType type, RandomWeights random)
    {
        float[] row = new float[tensor.Columns];
        byte[] bytes = new byte[type.BytesOf(tensor.Columns)];
        for (int r = 0; r < Math.Max(tensor.Rows, 1); r++)
        {
            if (tensor.IsVector)
            {
                Array.Fill(row, 1);
            }
            else
            {
                random.Fill(row);
            }

            RowEncoder.Encode(row, type, bytes);
            writer.Write(bytes);
        }
    }

    private static long Aligned(long position) =>
        (position + GgufDescription.Alignment - 1) / GgufDescription.Alignment * GgufDescription.Alignment;

    private static void Pad(BinaryWriter writer)
    {
        writer.Flush();
        long position = writer.BaseStream.Position;
        writer.Write(new byte[Aligned(position) - position]);
    }
}
