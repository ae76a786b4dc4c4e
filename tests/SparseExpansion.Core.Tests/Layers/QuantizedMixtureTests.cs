using SparseExpansion.Internal.Torch;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

public sealed class QuantizedMixtureTests
{
    public static TheoryData<int, int?, ScalarType> Cases => new()
    {
        { 4, 64, ScalarType.Float32 }, { 4, 128, ScalarType.BFloat16 }, { 4, null, ScalarType.Float32 }, { 8, null, ScalarType.BFloat16 }, { 8, 64, ScalarType.Float32 },
        { 2, 64, ScalarType.Float32 }, { 2, null, ScalarType.BFloat16 }, { 3, 128, ScalarType.Float32 }, { 3, null, ScalarType.BFloat16 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Pack_RoundedExperts_StoresCodesOfTheSameWeights(int bits, int? group, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = Create(new WeightQuantization { Bits = bits, GroupSize = group }, dtype);
        Tensor input = randn(40, 192).to(dtype), expected = layer.call(input), weight = layer.GetExpertWeight(1);
        double tolerance = dtype == ScalarType.Float32 ? 1e-5 : 5e-3; // The dense way rounds weights to bfloat16, the packed one does not.

        layer.Pack();

        Assert.Equal(bits, layer.Quantization!.Bits);
        Assert.Equal(dtype, layer.call(input).dtype);
        Assert.InRange(((layer.call(input) - expected).norm() / expected.norm()).to(ScalarType.Float32).item<float>(), 0, tolerance);
        Assert.True(TensorChecks.Equal(weight, layer.GetExpertWeight(1)));
        Assert.True(TensorChecks.Equal(expected, layer.Unpack().call(input)));
        Assert.Null(layer.Quantization);
        Assert.NotNull(layer.Pack().Quantization);
    }

    [Fact]
    public void Pack_WeightsChangedSince_StoresThemAsTheyAre()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = Create(new WeightQuantization(), ScalarType.Float32);
        using (no_grad())
        {
            layer.parameters().Single(parameter => parameter.dim() == 3).mul_(Scalars.Of(1.001));
        }

        Tensor weight = layer.GetExpertWeight(0);
        layer.Pack();

        Assert.Null(layer.Quantization);
        Assert.True(TensorChecks.Equal(weight, layer.GetExpertWeight(0)));
    }

    [Fact]
    public void To_BFloat16AndBack_KeepsTheCodes()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = Create(new WeightQuantization(), ScalarType.Float32).Pack();
        Tensor weight = layer.GetExpertWeight(0);
        long bytes = layer.ExpertBytes;

        layer.to(ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, layer.GetExpertWeight(0).dtype);
        layer.to(ScalarType.Float32);

        Assert.Equal(bytes, layer.ExpertBytes);
        Assert.True(TensorChecks.Equal(weight, layer.GetExpertWeight(0)));
    }

    [Fact]
    public void LoadStateDict_OfALayerPackedAlike_RunsTheNewWeights()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer source = Create(new WeightQuantization(), ScalarType.Float32).Pack(), target = Create(new WeightQuantization(), ScalarType.Float32).Pack();
        Assert.Contains("experts.items.1.scales", source.state_dict().Keys);
        Dictionary<string, Tensor> state = source.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());

        target.load_state_dict(state);
        Assert.True(TensorChecks.Equal(source.call(ones(3, 192)), target.call(ones(3, 192))));

        state["experts.items.1.masks"].fill_(Scalars.Of(255));
        target.load_state_dict(state);
        Assert.Throws<CheckpointException>(() => target.call(ones(3, 192)));
    }

    [Fact]
    public void Pack_UsedAndDisposed_LeavesNoTensors() => LeakCheck.NoTensorsLeft(
        () =>
        {
            using SparseMixtureLayer layer = Create(new WeightQuantization(), ScalarType.Float32);
            layer.Pack();
            using Tensor input = randn(9, 192);
            using Tensor output = layer.call(input);
            layer.Unpack();
        },
        parametersDisposed: 2);

    /// <summary>
    /// Every second weight is zero, so that layers have as many codes as each other; no rounded weight is 0.
    /// </summary>
    private static SparseMixtureLayer Create(WeightQuantization quantization, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Tensor kept = TensorArithmetic.Range(192).unsqueeze(0).Plus(TensorArithmetic.Range(130).unsqueeze(1)) % Scalars.Of(2);
        Tensor[] weights = [.. Enumerable.Range(0, 2).Select(_ => randn(130, 192).sign() * rand(130, 192).Plus(0.5) * kept)];
        QuantizationGrid[] grids = [.. weights.Select(weight => QuantizationGrid.Fit(weight, quantization))];
        var experts = new MaskedDenseExperts([.. weights.Zip(grids, (weight, grid) => grid.Round(weight).to(dtype))], grids);
        Array.ForEach(grids, grid => grid.Dispose());
        return new SparseMixtureLayer("quantized", new SharedRouter(new ParityRouter(2, 192)), experts, null);
    }
}
