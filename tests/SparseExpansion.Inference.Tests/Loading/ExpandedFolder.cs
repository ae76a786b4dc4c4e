using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Inference.Loading;

/// <summary>
/// A fixture written as an expanded folder whose experts all have the values of the dense weight, and as a dense folder
/// with the same values: both must compute the same.
/// </summary>
internal sealed class ExpandedFolder
{
    private const int Experts = 3, Bits = 4, Group = 64;
    private const string Quantized = "packed-bitmask-quantized";

    private readonly Dictionary<string, SafetensorsContent> _dense = [];
    private readonly Dictionary<string, SafetensorsContent> _rest = [];
    private readonly List<ExpandedLayerEntry> _layers = [];
    private readonly List<ExpandedRouterEntry> _routers = [];
    private readonly List<ExpandedQuantizedEntry> _quantized = [];

    /// <summary>Prepares the tensors of a fixture with float32 weights.</summary>
    public ExpandedFolder(string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Fixture.Folder(name), "model.safetensors"));
        foreach (SafetensorsEntry entry in file.Entries.Values)
        {
            float[] values = MemoryMarshal.Cast<byte, float>(file.Bytes(entry, 0, (int)entry.ByteLength)).ToArray();
            Put(_dense, entry.Name, entry.Shape, values);
            Put(_rest, entry.Name, entry.Shape, values);
        }
    }

    /// <summary>Layers in every storage, codes among them.</summary>
    public static ExpandedFolder OfAllStorages(string fixture)
    {
        var folder = new ExpandedFolder(fixture);
        int first = folder.AddRouter(64), second = folder.AddRouter(96);
        folder.Expand("model.layers.0.mlp.gate_proj", first, "packed-bitmask");
        folder.Expand("model.layers.0.mlp.up_proj", first, "masked-dense");
        folder.Expand("model.layers.0.mlp.down_proj", second, "packed-bitmask");
        folder.Expand("model.layers.1.mlp.down_proj", second, Quantized);
        folder.Quantize("model.layers.1.self_attn.q_proj");
        folder.Quantize("model.embed_tokens");
        folder.Quantize("lm_head");
        return folder;
    }

    /// <summary>Tensors of the file of experts; tests may damage them.</summary>
    public Dictionary<string, SafetensorsContent> Stored { get; } = [];

    /// <summary>Changes the index before it is written.</summary>
    public Func<ExpandedIndex, ExpandedIndex> Change { get; set; } = index => index;

    /// <summary>Adds a linear router; returns its number.</summary>
    public int AddRouter(int features, string kind = "linear")
    {
        int number = _routers.Count;
        var random = new Random(number);
        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        Put(Stored, $"routers.{number}.weight", [Experts, features], Draw(Experts * features));
        Put(Stored, $"routers.{number}.bias", [Experts], Draw(Experts));
        _routers.Add(new ExpandedRouterEntry(kind, features, Experts, ["weight", "bias"]));
        return number;
    }

    /// <summary>Makes a linear a mixture of packed or dense experts, half of whose weights are 0.</summary>
    public void Expand(string layer, int router, string storage)
    {
        (float[] values, int rows, int columns) = Take($"{layer}.weight");
        for (int i = 0; i < values.Length; i += 2)
        {
            values[i] = 0;
        }

        using QuantizedWeight? rounded = storage == Quantized
            ? QuantizedWeight.Quantize(values, rows, columns, Bits, Group)
            : null;
        rounded?.Dequantize(0, values);

        Put(_dense, $"{layer}.weight", [rows, columns], values);
        _layers.Add(new ExpandedLayerEntry(layer, router, Experts, columns, rows, false, storage));
        if (storage == "masked-dense")
        {
            Put(Stored, $"{layer}.experts.weight", [Experts, rows, columns], [.. Enumerable.Repeat(values, Experts).SelectMany(all => all)]);
            return;
        }

        for (int expert = 0; expert < Experts; expert++)
        {
            using PackedWeight packed = rounded is null ? PackedWeight.Pack(values, rows, columns) : PackCodes(values, rounded.Grid);
            PackedArrays arrays = packed.Arrays;
            long[] layout = [arrays.BlockColumns, arrays.PanelRows, .. arrays.Grid is { } grid ? [grid.Bits, grid.GroupSize!.Value] : Array.Empty<long>()];
            Stored[$"{layer}.experts.layout"] = SafetensorsContent.Of<long>(
                $"{layer}.experts.layout", ElementType.Int64, [layout.Length], layout);
            if (arrays.Grid is not null)
            {
                Put($"{layer}.experts.{expert}.scales", arrays.Grid.Scales);
                Put($"{layer}.experts.{expert}.zeros", arrays.Grid.Zeros);
            }

            Put($"{layer}.experts.{expert}.values", arrays.Values);
            Put($"{layer}.experts.{expert}.masks", arrays.Masks);
            Put($"{layer}.experts.{expert}.row_order", arrays.RowOrder);
            Put($"{layer}.experts.{expert}.panel_offsets", arrays.PanelOffsets);
        }
    }

    /// <summary>Stores a weight in codes.</summary>
    public void Quantize(string layer)
    {
        (float[] values, int rows, int columns) = Take($"{layer}.weight");
        using QuantizedWeight weight = QuantizedWeight.Quantize(values, rows, columns, Bits, Group);
        weight.Dequantize(0, values);
        Put(_dense, $"{layer}.weight", [rows, columns], values);
        Put($"{layer}.codes", weight.Codes);
        Put($"{layer}.scales", weight.Grid.Scales);
        Put($"{layer}.zeros", weight.Grid.Zeros);
        _quantized.Add(new ExpandedQuantizedEntry(layer, rows, columns, Bits, Group));
    }

    /// <summary>Writes the expanded folder.</summary>
    public void Write(string fixture, string folder)
    {
        CopyConfig(fixture, folder);
        SafetensorsFileWriter.Write(Path.Combine(folder, "model.safetensors"), _rest.Values);
        SafetensorsFileWriter.Write(Path.Combine(folder, "experts.safetensors"), Stored.Values);
        Change(new ExpandedIndex
        {
            Format = ExpandedIndex.FormatName,
            Version = ExpandedIndex.CurrentVersion,
            Routers = _routers,
            Layers = _layers,
            Quantized = _quantized.Count > 0 ? _quantized : null,
        }).Write(folder);
    }

    /// <summary>Writes the dense folder with the same values.</summary>
    public void WriteDense(string fixture, string folder)
    {
        CopyConfig(fixture, folder);
        SafetensorsFileWriter.Write(Path.Combine(folder, "model.safetensors"), _dense.Values);
    }

    /// <summary>Codes of values that lie on the grid.</summary>
    private static unsafe PackedWeight PackCodes(float[] values, PackedGrid grid)
    {
        var own = new PackedGrid(
            grid.Bits, grid.GroupSize, grid.Rows, grid.Columns, grid.Scales.Copy(), grid.Zeros.Copy());
        fixed (float* from = values)
        {
            return PackedWeightBuilder.PackCodes(from, own, NativeArray.Allocate);
        }
    }

    private static void CopyConfig(string fixture, string folder)
    {
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(Fixture.Folder(fixture), "config.json"), Path.Combine(folder, "config.json"));
    }

    private (float[] Values, int Rows, int Columns) Take(string name)
    {
        Assert.True(_rest.Remove(name, out SafetensorsContent? tensor), name);
        using var bytes = new MemoryStream();
        tensor.Write(bytes);
        return (MemoryMarshal.Cast<byte, float>(bytes.ToArray()).ToArray(), (int)tensor.Shape[0], (int)tensor.Shape[1]);
    }

    private static void Put(Dictionary<string, SafetensorsContent> to, string name, IReadOnlyList<long> shape, float[] values) =>
        to[name] = SafetensorsContent.Of<float>(name, ElementType.Float32, shape, values);

    private unsafe void Put(string name, NativeArray array) => Stored[name] = SafetensorsContent.Of<byte>(
        name, array.Type, [array.Length], new ReadOnlySpan<byte>(array.Pointer, (int)array.ByteLength).ToArray());
}
