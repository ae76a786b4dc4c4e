using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>Reads the golden PCA and k-means, without the reader under test elsewhere.</summary>
internal sealed class GoldenClusters
{
    private readonly byte[] _file = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "golden", "pca_kmeans.safetensors"));
    private readonly JsonElement _header;
    private readonly int _start;

    public GoldenClusters()
    {
        int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_file));
        _start = 8 + length;
        _header = JsonDocument.Parse(_file.AsMemory(8, length)).RootElement;
    }

    public double Inertia => double.Parse(_header.GetProperty("__metadata__").GetProperty("inertia").GetString()!, CultureInfo.InvariantCulture);

    public Tensor Float32(string name) => tensor(MemoryMarshal.Cast<byte, float>(Bytes(name)).ToArray(), Shape(name));

    public Tensor Float64(string name) => tensor(MemoryMarshal.Cast<byte, double>(Bytes(name)).ToArray(), Shape(name));

    private long[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())];

    private ReadOnlySpan<byte> Bytes(string name)
    {
        JsonElement offsets = _header.GetProperty(name).GetProperty("data_offsets");
        return _file.AsSpan((_start + offsets[0].GetInt32())..(_start + offsets[1].GetInt32()));
    }
}
