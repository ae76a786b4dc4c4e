using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Experiments;

public sealed class NeuronAblationTests : IDisposable
{
    private static readonly SparsityTarget Half = SparsityTarget.Unstructured(0.5, SparsityScope.Row);

    private readonly LayerFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Evaluate_ChosenNeurons_AreSparseAndTheOthersDense(bool secondOrder)
    {
        using Tensor before = _fixture.Weight.clone();
        using NeuronAblation ablation = Prepare(secondOrder ? new SparseGptSparsifier() : new WandaSparsifier());

        double zeros = ablation.Evaluate([3, 11], Half, _ =>
        {
            using var scope = NewDisposeScope();
            for (int neuron = 0; neuron < LayerFixture.Out; neuron++)
            {
                long zerosOfRow = LayerFixture.In - _fixture.Weight[neuron].count_nonzero().item<long>();
                Assert.Equal(neuron is 3 or 11 ? LayerFixture.In / 2 : 0, zerosOfRow);
                Assert.Equal(neuron is not (3 or 11), TensorChecks.Equal(_fixture.Weight[neuron], before[neuron]));
            }

            return _fixture.Weight.numel() - _fixture.Weight.count_nonzero().item<long>();
        });

        Assert.Equal(LayerFixture.In, zeros);
        Assert.True(TensorChecks.Equal(before, _fixture.Weight));
    }

    [Fact]
    public void Evaluate_EvaluatorThrows_RestoresTheWeight()
    {
        using Tensor before = _fixture.Weight.clone();
        using NeuronAblation ablation = Prepare(new MagnitudeSparsifier());

        Assert.Throws<TimeoutException>(() => ablation.Evaluate([0, 1], Half, _ =>
        {
            Assert.False(TensorChecks.Equal(before, _fixture.Weight));
            throw new TimeoutException();
        }));

        Assert.True(TensorChecks.Equal(before, _fixture.Weight));
    }

    [Fact]
    public void Evaluate_LeafParameter_IsChangedWithoutAutograd()
    {
        using var linear = nn.Linear(LayerFixture.In, LayerFixture.Out);
        using NeuronAblation ablation = NeuronAblation.Prepare("layer", linear.weight!, _fixture.Tokens, new MagnitudeSparsifier());

        double sparse = ablation.Evaluate([2], Half, _ => Sum(linear.weight!));

        Assert.NotEqual(Sum(linear.weight!), sparse);
        Assert.True(linear.weight!.requires_grad);
    }

    [Fact]
    public void Apply_WhileSparse_IsRefusedUntilRestored()
    {
        using NeuronAblation ablation = Prepare(new MagnitudeSparsifier());
        IDisposable applied = ablation.Apply([1], Half);

        Assert.Throws<InvalidOperationException>(() => ablation.Apply([2], Half));
        applied.Dispose();
        applied.Dispose();
        ablation.Apply([2], Half).Dispose();
    }

    [Fact]
    public void Sweep_Selections_GivesOnePointEach()
    {
        using NeuronAblation ablation = Prepare(new MagnitudeSparsifier());
        var selections = new Dictionary<string, IReadOnlyList<int>> { ["none"] = [], ["random"] = NeuronSelection.Random(LayerFixture.Out, 0.1, 3) };
        double dense = Zeros();

        IReadOnlyList<AblationPoint> points = ablation.Sweep(selections, [0.25, 0.5], _ => Zeros());

        Assert.Equal(
            [
                new AblationPoint("layer", "none", 0.25, 0, dense), new AblationPoint("layer", "random", 0.25, 2, dense + 6),
                new AblationPoint("layer", "none", 0.5, 0, dense), new AblationPoint("layer", "random", 0.5, 2, dense + 12),
            ],
            points);
    }

    [Fact]
    public void Prepare_BadArguments_Throw()
    {
        using Tensor wide = zeros(4, LayerFixture.In + 1);
        using NeuronAblation ablation = Prepare(new MagnitudeSparsifier());

        Assert.Throws<CalibrationException>(() => NeuronAblation.Prepare("layer", wide, _fixture.Tokens, new MagnitudeSparsifier()));
        Assert.Throws<ArgumentException>(() => ablation.Apply([LayerFixture.Out], Half));
        Assert.Throws<ArgumentException>(() => ablation.Apply([1, 1], Half));
    }

    [Fact]
    public void Evaluate_LeavesNothingBehind() => LeakCheck.NoTensorsLeft(() =>
    {
        using NeuronAblation ablation = Prepare(new SparseGptSparsifier());
        ablation.Evaluate([1], Half, _ => 0);
        ablation.Evaluate([1, 2], SparsityTarget.NM(2, 4), _ => 0);
    });

    private NeuronAblation Prepare(ISparsifier sparsifier) =>
        NeuronAblation.Prepare("layer", _fixture.Weight, _fixture.Tokens, sparsifier, chunkTokens: 128);

    private double Zeros()
    {
        using Tensor nonzero = _fixture.Weight.count_nonzero();
        return _fixture.Weight.numel() - nonzero.item<long>();
    }

    private static double Sum(Tensor weight)
    {
        using Tensor sum = weight.sum();
        return sum.item<float>();
    }
}
