using System.Text;
using SparseExpansion.Testing;

namespace SparseExpansion.Comparison.Gguf;

/// <summary>Files are read back by a reader of the format's description, written for these tests.</summary>
public sealed class GgufFileTests
{
    private static readonly ModelShape s_shape = new(2, 64, 96, 4, 2, 320);

    [Theory]
    [InlineData("F32")]
    [InlineData("BF16")]
    [InlineData("Q8_0")]
    [InlineData("Q4_0")]
    public void Write_AnyType_HasEveryTensorInItsPlace(string name)
    {
        GgufType type = TypeOf(name);
        using var folder = new TemporaryFolder();
        string path = folder.File("model.gguf");

        GgufFile.Write(path, s_shape, type);

        using var reader = new BinaryReader(File.OpenRead(path));
        Assert.Equal("GGUF", Encoding.ASCII.GetString(reader.ReadBytes(4)));
        Assert.Equal(3u, reader.ReadUInt32());
        ulong tensors = reader.ReadUInt64(), keys = reader.ReadUInt64();
        Dictionary<string, object> metadata = ReadMetadata(reader, keys);
        Assert.Equal("llama", metadata["general.architecture"]);
        Assert.Equal(2u, metadata["llama.block_count"]);
        Assert.Equal(96u, metadata["llama.feed_forward_length"]);
        Assert.Equal(16u, metadata["llama.rope.dimension_count"]);
        Assert.Equal(320, ((object[])metadata["tokenizer.ggml.tokens"]).Length);
        Assert.Equal("<0x00>", ((object[])metadata["tokenizer.ggml.tokens"])[3]);
        Assert.Equal("<0xFF>", ((object[])metadata["tokenizer.ggml.tokens"])[258]);
        Assert.Equal("t259", ((object[])metadata["tokenizer.ggml.tokens"])[259]);
        long end = ReadTensors(reader, tensors, type);
        Assert.Equal(new FileInfo(path).Length, end);
        Assert.Equal(3ul + 2 * 9, tensors);
    }

    [Fact]
    public void Encode_OfBytes_RoundsToTheNearestCode()
    {
        float[] weights = [.. Enumerable.Range(0, 32).Select(i => (i - 20) / 10f)];
        byte[] block = new byte[34];

        RowEncoder.Encode(weights, GgufType.Q8, block);

        float scale = (float)BitConverter.ToHalf(block);
        Assert.Equal(2f / 127, scale, 1e-5f);
        Assert.All(weights.Index(), item => Assert.Equal(item.Item, scale * (sbyte)block[2 + item.Index], scale * 0.6f));
    }

    [Fact]
    public void Encode_OfHalfBytes_HasTheFirstHalfBelow()
    {
        float[] weights = [.. Enumerable.Range(0, 32).Select(i => (i - 20) / 10f)];
        byte[] block = new byte[18];

        RowEncoder.Encode(weights, GgufType.Q4, block);

        float scale = (float)BitConverter.ToHalf(block);
        Assert.Equal(2f / 8, scale, 1e-3f);
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal(weights[i], scale * ((block[2 + i] & 15) - 8), scale * 0.55f);
            Assert.Equal(weights[16 + i], scale * ((block[2 + i] >> 4) - 8), scale * 0.55f);
        }
    }

    [Theory]
    [InlineData("Q8_0")]
    [InlineData("Q4_0")]
    public void Encode_OfZeros_GivesZeros(string name)
    {
        GgufType type = TypeOf(name);
        byte[] block = new byte[type.BlockBytes];

        RowEncoder.Encode(new float[32], type, block);

        Assert.Equal(0, (float)BitConverter.ToHalf(block));
    }

    [Fact]
    public void BytesOf_PartOfABlock_Throws()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => GgufType.Q4.BytesOf(33));

        Assert.Equal("33 weights are not blocks of 32, of which Q4_0 consists.", error.Message);
    }

    private static GgufType TypeOf(string name) =>
        new[] { GgufType.F32, GgufType.BF16, GgufType.Q8, GgufType.Q4 }.Single(type => type.Name == name);

    /// <summary>Tensors follow each other at multiples of 32; returns the end of the last, padding included.</summary>
    private static long ReadTensors(BinaryReader reader, ulong count, GgufType type)
    {
        long next = 0;
        for (ulong i = 0; i < count; i++)
        {
            string name = ReadText(reader);
            uint dimensions = reader.ReadUInt32();
            long weights = 1;
            for (uint d = 0; d < dimensions; d++)
            {
                weights *= (long)reader.ReadUInt64();
            }

            Assert.Equal(dimensions == 1 ? 0u : type.TensorId, reader.ReadUInt32());
            Assert.True(dimensions == 1 == name.Contains("norm", StringComparison.Ordinal), name);
            Assert.Equal((ulong)next, reader.ReadUInt64());
            long bytes = dimensions == 1 ? 4 * weights : type.BytesOf(weights);
            next = (next + bytes + 31) / 32 * 32;
        }

        return (reader.BaseStream.Position + 31) / 32 * 32 + next;
    }

    private static Dictionary<string, object> ReadMetadata(BinaryReader reader, ulong count)
    {
        var values = new Dictionary<string, object>();
        for (ulong i = 0; i < count; i++)
        {
            string key = ReadText(reader);
            values.Add(key, ReadValue(reader, reader.ReadUInt32()));
        }

        return values;
    }

    private static object ReadValue(BinaryReader reader, uint type) => type switch
    {
        4 => reader.ReadUInt32(),
        5 => reader.ReadInt32(),
        6 => reader.ReadSingle(),
        8 => ReadText(reader),
        9 => ReadArray(reader),
        _ => throw new InvalidDataException($"Type {type}."),
    };

    private static object[] ReadArray(BinaryReader reader)
    {
        uint type = reader.ReadUInt32();
        object[] items = new object[reader.ReadUInt64()];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = ReadValue(reader, type);
        }

        return items;
    }

    private static string ReadText(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));
}
