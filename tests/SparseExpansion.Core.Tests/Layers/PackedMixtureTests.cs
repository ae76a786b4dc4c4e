using SparseExpansion.Execution;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

public sealed class PackedMixtureTests
{
    [Theory]
    [InlineData(ScalarType.Float32, 1)]
    [InlineData(ScalarType.Float32, 40)]
    [InlineData(ScalarType.BFloat16, 1)]
    [InlineData(ScalarType.BFloat16, 40)]
    public void Pack_SparseExperts_GivesTheSameOutputsAndWeights(ScalarType dtype, int tokens)
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = CreateSparse(dtype);
        Tensor input = randn(tokens, 64).to(dtype);
        Tensor expected = layer.call(input);
        Tensor weight = layer.GetExpertWeight(1);

        layer.Pack();
        Tensor packed = layer.call(input);

        Assert.True(layer.IsPacked);
        Assert.True(expected.allclose(packed, rtol: dtype == ScalarType.Float32 ? 1e-4 : 2e-2, atol: dtype == ScalarType.Float32 ? 1e-5 : 2e-2));
        Assert.True(TensorChecks.Equal(weight, layer.GetExpertWeight(1)));
        Assert.True(TensorChecks.Equal(expected, layer.Unpack().call(input)));
    }

    [Fact]
    public void Multiply_Fails_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor tokens = randn(3, 30), weight = randn(20, 30);
        PackedWeight packed = PackedWeight.Pack(weight);
        using PackedExperts experts = PackedExperts.Of([packed]);
        var decision = new RoutingDecision(zeros(3, ScalarType.Int64), 1);
        packed.Dispose();

        Assert.Throws<ObjectDisposedException>(() => experts.Multiply(tokens, decision, null));
        decision.Release();
    });

    [Fact]
    public void Pack_StateDict_ListsTheArraysOfEveryExpert()
    {
        using SparseMixtureLayer layer = CreateSparse(ScalarType.Float32);

        layer.Pack();

        Assert.Equal(
            ["bias", "experts.items.0.masks", "experts.items.0.panel_offsets", "experts.items.0.row_order", "experts.items.0.values"],
            layer.state_dict().Keys.Where(name => !name.Contains(".1.", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Pack_HalfOfTheWeightsZero_TakesLittleMoreThanHalfTheBytes()
    {
        using SparseMixtureLayer layer = CreateSparse(ScalarType.Float32, width: 512);
        long dense = layer.ExpertBytes;

        layer.Pack();

        Assert.InRange((double)layer.ExpertBytes / dense, 0.5, 0.56);
    }

    [Fact]
    public void To_BFloat16WhilePacked_ConvertsTheExperts()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = CreateSparse(ScalarType.Float32);
        Tensor expected = layer.GetExpertWeight(0).to(ScalarType.BFloat16);

        layer.Pack().to(ScalarType.BFloat16);

        Assert.True(layer.IsPacked);
        Assert.True(TensorChecks.Equal(expected, layer.GetExpertWeight(0)));
        Assert.Equal(ScalarType.BFloat16, layer.call(randn(3, 64).to(ScalarType.BFloat16)).dtype);
    }

    [Fact]
    public void To_Float16WhilePacked_SaysUnpackAndKeepsTheLayerUsable()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = CreateSparse(ScalarType.Float32).Pack();
        Tensor input = randn(3, 64), expected = layer.call(input);

        Assert.Contains("Unpack", Assert.Throws<InvalidOperationException>(() => layer.to(ScalarType.Float16)).Message, StringComparison.Ordinal);
        Assert.True(TensorChecks.Equal(expected, layer.call(input)));
    }

    [Fact]
    public void To_CudaWhilePacked_SaysUnpack()
    {
        using SparseMixtureLayer layer = CreateSparse(ScalarType.Float32).Pack();

        Assert.Contains("Unpack", Assert.Throws<InvalidOperationException>(() => layer.to(META)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_Float16_IsRefusedWithTheLayersName()
    {
        using SparseMixtureLayer layer = CreateSparse(ScalarType.Float16);

        Assert.Contains("'sparse'", Assert.Throws<InvalidOperationException>(layer.Pack).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_UsedAndDisposed_LeavesNoTensors() => LeakCheck.NoTensorsLeft(
        () =>
        {
            using SparseMixtureLayer layer = CreateSparse(ScalarType.Float32);
            layer.Pack();
            using Tensor input = randn(9, 64);
            using Tensor output = layer.call(input);
            layer.Unpack();
        },
        parametersDisposed: 3);

    [Fact]
    public void LoadStateDict_OfALayerPackedAlike_RunsTheNewWeights()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer source = CreateRegular(shift: 1).Pack(), target = CreateRegular(shift: 0).Pack();
        Tensor input = randn(40, 64);
        target.call(input).Dispose(); // What it derives from the old masks must not stay.
        Tensor expected = source.call(input);

        target.load_state_dict(source.state_dict());

        Assert.True(TensorChecks.Equal(expected, target.call(input)));
        Assert.True(TensorChecks.Equal(source.GetExpertWeight(0), target.GetExpertWeight(0)));
    }

    [Fact]
    public void LoadStateDict_ArraysThatFormNoExperts_NamesTheLayer()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = CreateRegular(shift: 0).Pack();
        Dictionary<string, Tensor> state = layer.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        state["experts.items.1.masks"].fill_(Scalars.Of(255));
        layer.load_state_dict(state);

        using Tensor input = randn(3, 64);
        Assert.Contains("'regular'", Assert.Throws<CheckpointException>(() => layer.call(input)).Message, StringComparison.Ordinal);
        Assert.Contains("'regular'", Assert.Throws<CheckpointException>(layer.Unpack).Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => layer.GetExpertWeight(1));
    }

    [Theory]
    [InlineData("named_buffers")]
    [InlineData("buffers")]
    [InlineData("get_buffer")]
    public void Forward_BuffersWrittenTo_ChecksThemAgain(string by)
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = CreateRegular(shift: 0).Pack();
        Tensor input = randn(40, 64);
        layer.call(input);

        Tensor masks = by switch
        {
            "named_buffers" => layer.named_buffers().Single(entry => entry.name == "experts.items.1.masks").buffer,
            "buffers" => layer.buffers().Last(buffer => buffer.dtype == ScalarType.Byte && buffer.numel() == (64 * 64 / 8) + 8),
            _ => layer.get_buffer("experts.items.1.masks")!,
        };
        masks.fill_(Scalars.Of(255));

        Assert.Throws<CheckpointException>(() => layer.call(input));
    }

    [Fact]
    public void StateDict_OnlyRead_ChangesNothing()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = CreateRegular(shift: 0).Pack();
        Tensor input = randn(40, 64), expected = layer.call(input);

        Assert.NotEmpty(layer.state_dict());

        Assert.True(TensorChecks.Equal(expected, layer.call(input)));
    }

    /// <summary>
    /// Every second weight is zero: layers of either shift have as many values as each other in every piece.
    /// </summary>
    private static SparseMixtureLayer CreateRegular(int shift)
    {
        using var scope = NewDisposeScope();
        Tensor kept = TensorArithmetic.Range(64).unsqueeze(0).Plus(TensorArithmetic.Range(64).unsqueeze(1)).Plus(shift) % Scalars.Of(2);
        Tensor[] weights = [.. Enumerable.Range(0, 2).Select(_ => randn(64, 64) * kept)];
        return new SparseMixtureLayer("regular", new ParityRouter(2, 64), weights);
    }

    private static SparseMixtureLayer CreateSparse(ScalarType dtype, int width = 64)
    {
        using var scope = NewDisposeScope();
        Tensor[] weights = [.. Enumerable.Range(0, 2).Select(_ => (randn(width, width) * rand(width, width).gt(Scalars.Of(0.5))).to(dtype))];
        return new SparseMixtureLayer("sparse", new ParityRouter(2, width), weights, randn(width).to(dtype));
    }
}
