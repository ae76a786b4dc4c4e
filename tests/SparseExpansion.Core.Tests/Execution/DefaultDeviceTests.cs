using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Layers;
using SparseExpansion.Quantization;
using SparseExpansion.Serialization;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Packed weights live in host memory, wherever torch makes new tensors by default.</summary>
public sealed class DefaultDeviceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PackMultiplyUnpack_AnotherDefaultDevice_StayOnTheCpu(bool quantized)
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(130, 192), tokens = randn(9, 192), bias = randn(130);
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization());
        weight = quantized ? grid.Round(weight) : weight;
        Tensor expected = nn.functional.linear(tokens, weight, bias);
        (Tensor back, Tensor output) = OnMeta(() =>
        {
            using PackedWeight packed = quantized ? PackedWeight.Pack(weight, grid) : PackedWeight.Pack(weight);
            return (packed.Unpack(), PackedProduct.Multiply(packed, tokens, bias, new ExecutionOptions(KernelKind.Expand)));
        });

        Assert.True(back.eq(weight).all().item<bool>());
        Assert.True(output.allclose(expected, 1e-4, 1e-4));
    }

    [Fact]
    public void Forward_AnotherDefaultDevice_GivesTheSameOutputs()
    {
        using var scope = NewDisposeScope();
        using var layer = new SparseMixtureLayer("layer", new ParityRouter(2, 64), [randn(32, 64), randn(32, 64)]);
        Tensor input = randn(5, 64), expected = layer.call(input);
        Tensor dense = OnMeta(() => layer.call(input));
        layer.Pack();
        Tensor packed = OnMeta(() => layer.call(input));

        Assert.True(dense.allclose(expected));
        Assert.True(packed.allclose(expected, 1e-4, 1e-4));
    }

    [Fact]
    public void Map_AnotherDefaultDevice_ReadsTheFile()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Tensor values = randn(20, 30);
        SafetensorsWriter.Write(folder.File("values.safetensors"), new Dictionary<string, Tensor> { ["values"] = values });
        using SafetensorsReader reader = SafetensorsReader.Open(folder.File("values.safetensors"));

        Tensor mapped = OnMeta(() => reader.Map("values"));

        Assert.True(mapped.eq(values).all().item<bool>());
    }

    private static T OnMeta<T>(Func<T> action)
    {
        Device usual = get_default_device();
        set_default_device(META);
        try
        {
            return action();
        }
        finally
        {
            set_default_device(usual);
        }
    }
}
