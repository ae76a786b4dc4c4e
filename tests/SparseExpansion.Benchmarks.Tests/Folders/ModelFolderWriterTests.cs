using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Testing;

namespace SparseExpansion.Comparison.Folders;

public sealed class ModelFolderWriterTests
{
    private static readonly ModelShape s_shape = new(2, 256, 384, 4, 2, 320);

    [Fact]
    public void Write_DenseModel_HasTheTensorsOfItsConfiguration()
    {
        using var folder = new TemporaryFolder();

        ModelFolderWriter.Write(folder.Path, s_shape, new WeightStorage(ElementType.BFloat16));

        using SafetensorsFile model = SafetensorsFile.Open(folder.File("model.safetensors"));
        Assert.Equal(3 + 2 * 9, model.Entries.Count);
        Assert.Equal([384, 256], model.Entries["model.layers.1.mlp.gate_proj.weight"].Shape);
        Assert.Equal([128, 256], model.Entries["model.layers.0.self_attn.k_proj.weight"].Shape);
        Assert.All(model.Entries.Values, entry => Assert.Equal(ElementType.BFloat16, entry.DType));
        Assert.Contains("\"torch_dtype\": \"bfloat16\"", File.ReadAllText(folder.File("config.json")), StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("expansion.json")));
    }

    [Theory]
    [InlineData(null, 0.5, ElementType.Float32)]
    [InlineData(null, 0.5, ElementType.BFloat16)]
    [InlineData(8, 0.5, ElementType.Float32)]
    [InlineData(4, 0.75, ElementType.Float32)]
    [InlineData(3, 0.5, ElementType.Float32)]
    [InlineData(2, 0.5, ElementType.Float32)]
    public void Write_Experts_HasWeightsThatTheLibraryAccepts(int? bits, double sparsity, ElementType type)
    {
        using var folder = new TemporaryFolder();

        ModelFolderWriter.Write(folder.Path, s_shape, new WeightStorage(type, 4, sparsity, bits));

        ExpandedIndex index = ExpandedIndex.Read(folder.Path);
        Assert.Equal(2 * 7, index.Layers.Count);
        Assert.Equal(2 * 4, index.Routers.Count);
        using SafetensorsFile experts = SafetensorsFile.Open(folder.File("experts.safetensors"));
        foreach (ExpandedLayerEntry layer in index.Layers)
        {
            Assert.Equal([4, layer.InFeatures], experts.Entries[$"routers.{layer.Router}.weight"].Shape);
            using PackedWeight weight = Read(experts, layer, expert: 3);
            double kept = (double)weight.NonZeroCount / (layer.InFeatures * layer.OutFeatures);
            Assert.Equal(1 - sparsity, kept, 0.02);
            AssertDeviation(weight, 1 - sparsity, s_shape.Linears.Single(linear => layer.Name.EndsWith(linear.Module, StringComparison.Ordinal)).Gain);
        }
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(4, 4)]
    [InlineData(4, 8)]
    public void Write_DenseCodes_HasAllMatricesInThemWithValuesAsLargeAsOthers(int experts, int bits)
    {
        using var folder = new TemporaryFolder();

        ModelFolderWriter.Write(
            folder.Path, s_shape, new WeightStorage(ElementType.Float32, experts, 0.5, experts == 0 ? null : 4, bits));

        IReadOnlyList<ExpandedQuantizedEntry> entries = ExpandedIndex.Read(folder.Path).Quantized!;
        Assert.Equal(2 + (experts == 0 ? 2 * 7 : 0), entries.Count);
        using SafetensorsFile model = SafetensorsFile.Open(folder.File("model.safetensors"));
        Assert.All(model.Entries.Keys, name => Assert.Contains("norm", name, StringComparison.Ordinal));
        using SafetensorsFile stored = SafetensorsFile.Open(folder.File("experts.safetensors"));
        foreach (ExpandedQuantizedEntry entry in entries)
        {
            int rows = (int)entry.OutFeatures, columns = (int)entry.InFeatures;
            using QuantizedWeight weight = QuantizedWeight.FromArrays(
                ReadArray(stored, $"{entry.Name}.codes"),
                new PackedGrid(
                    bits, entry.GroupSize, rows, columns, ReadArray(stored, $"{entry.Name}.scales"),
                    ReadArray(stored, $"{entry.Name}.zeros")));
            float[] dense = new float[rows * columns];
            weight.Dequantize(0, dense);
            double gain = DenseMatrix.Of(s_shape, linears: true).Single(matrix => matrix.Module == entry.Name).Gain;
            AssertDeviation(dense, dense.Length, gain);
        }
    }

    [Fact]
    public void Write_Routers_SendTokensToAllExperts()
    {
        using var folder = new TemporaryFolder();
        ModelFolderWriter.Write(folder.Path, s_shape, new WeightStorage(ElementType.Float32, 4, 0.5));
        using SafetensorsFile experts = SafetensorsFile.Open(folder.File("experts.safetensors"));
        using NativeArray router = ReadArray(experts, "routers.0.weight");
        var random = new RandomWeights(9);
        int[] counts = new int[4];

        for (int t = 0; t < 400; t++)
        {
            float[] token = new float[256];
            random.Fill(token);
            float[] scores = [.. Enumerable.Range(0, 4).Select(e => Dot(router.Span<float>(e * 256, 256), token))];
            counts[scores.IndexOf(scores.Max())]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 60, 140));
    }

    private static float Dot(Span<float> a, float[] b)
    {
        float sum = 0;
        for (int i = 0; i < b.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    /// <summary>Weights of any storage are about as large, so that models of all of them compute finite numbers.</summary>
    private static void AssertDeviation(PackedWeight weight, double density, float gain)
    {
        if (weight.DType != ElementType.Float32)
        {
            return; // The same values as float32, rounded.
        }

        float[] dense = new float[weight.Rows * weight.Columns];
        weight.Unpack(dense);
        AssertDeviation(dense, dense.Length * density, gain);
    }

    private static void AssertDeviation(float[] dense, double kept, double gain)
    {
        double deviation = Math.Sqrt(dense.Sum(value => (double)value * value) / kept);
        // Zero points of few groups do not average out; at one side of the middle always, they would give twice as much.
        Assert.InRange(Math.Abs(dense.Average()), 0, 0.1 * gain * RandomWeights.Deviation);
        Assert.InRange(deviation, 0.6 * gain * RandomWeights.Deviation, 1.6 * gain * RandomWeights.Deviation);
    }

    private static PackedWeight Read(SafetensorsFile file, ExpandedLayerEntry layer, int expert)
    {
        string name = $"{layer.Name}.experts.", prefix = $"{name}{expert}.";
        using NativeArray layout = ReadArray(file, name + "layout");
        int rows = (int)layer.OutFeatures, columns = (int)layer.InFeatures;
        int bits = layout.Length > 2 ? (int)layout.Span<long>(2, 1)[0] : 0;
        PackedGrid? grid = bits == 0 ? null : new PackedGrid(
            bits, (int)layout.Span<long>(3, 1)[0], rows, columns, ReadArray(file, prefix + "scales"),
            ReadArray(file, prefix + "zeros"));
        return PackedWeight.FromArrays(new PackedArrays(
            rows, columns, (int)layout.Span<long>(0, 1)[0], (int)layout.Span<long>(1, 1)[0],
            ReadArray(file, prefix + "values"), ReadArray(file, prefix + "masks"), ReadArray(file, prefix + "row_order"),
            ReadArray(file, prefix + "panel_offsets"), grid));
    }

    private static NativeArray ReadArray(SafetensorsFile file, string name)
    {
        SafetensorsEntry entry = file.Entry(name);
        int count = (int)entry.Shape.Aggregate(1L, (product, size) => product * size);
        NativeArray array = NativeArray.Allocate(count, entry.DType);
        ReadOnlySpan<byte> bytes = file.Bytes(entry, 0, (int)entry.ByteLength);
        switch (entry.ByteLength / count)
        {
            case 1:
                bytes.CopyTo(array.Span<byte>(0, count));
                break;
            case 2:
                MemoryMarshal.Cast<byte, ushort>(bytes).CopyTo(array.Span<ushort>(0, count));
                break;
            case 4:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(array.Span<float>(0, count));
                break;
            default:
                MemoryMarshal.Cast<byte, long>(bytes).CopyTo(array.Span<long>(0, count));
                break;
        }

        return array;
    }
}
