using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>A fixture of float32 tensors in the safetensors layout: 8 bytes of header length, JSON header, data.</summary>
internal sealed class GoldenFile
{
    private readonly byte[] _bytes;
    private readonly int _dataStart;
    private readonly JsonElement _header;

    public GoldenFile(string name)
    {
        _bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "golden", name + ".safetensors"));
        int length = checked((int)BinaryPrimitives.ReadInt64LittleEndian(_bytes));
        _dataStart = 8 + length;
        _header = JsonDocument.Parse(_bytes.AsMemory(8, length)).RootElement;
    }

    /// <summary>A tensor of the file; it belongs to the caller's dispose scope.</summary>
    public Tensor Tensor(string name)
    {
        JsonElement entry = _header.GetProperty(name);
        long[] shape = [.. entry.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())];
        int start = _dataStart + entry.GetProperty("data_offsets")[0].GetInt32();
        var values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        Buffer.BlockCopy(_bytes, start, values, 0, values.Length * sizeof(float));
        return tensor(values, shape);
    }

    public double Number(string metadata) =>
        double.Parse(_header.GetProperty("__metadata__").GetProperty(metadata).GetString()!, CultureInfo.InvariantCulture);
}
