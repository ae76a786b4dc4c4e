using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Selection;

/// <summary>Input features that no token uses: targets stay exact, and nothing becomes NaN.</summary>
public sealed class DeadFeatureTests
{
    private const int Rows = 20;
    private const int Columns = 160;

    public static TheoryData<string, string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, int>();
            foreach (string pruner in new[] { "magnitude", "wanda", "sparsegpt", "sparsegpt small blocks", "sparsegpt 4 bits", "alps", "wanda+refit", "alps+refit", "sparsegpt+4bit", "wanda+refit+4bit" })
            {
                foreach (string target in new[] { "0.5", "0.5 row", "0.5 layer", "0.3 exactly", "0", "2:4", "1:4" })
                {
                    foreach (int dead in new[] { 1, 3, 70, 100, Columns })
                    {
                        cases.Add(pruner, target, dead);
                    }
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prune_DeadFeatures_GivesTheExactCountAndNumbers(string pruner, string target, int dead)
    {
        using var scope = NewDisposeScope();
        ISparsifier sparsifier = Pruner(pruner);
        Tensor weight = Random(1, Rows, Columns), tokens = Random(2, 400, Columns);
        tokens.narrow(1, 0, dead).zero_();
        using IActivationStatistic statistic = sparsifier.CreateStatistic(new LayerDescriptor("layer", Columns, Rows, CPU));
        statistic.Observe(tokens);
        SparsityTarget asked = Target(target);

        using PruningResult result = sparsifier.Prune(weight, statistic, asked);
        IReadOnlyList<PruningResult> experts = sparsifier.PruneExperts(weight, [statistic, statistic], asked);

        Assert.True(TensorChecks.AllFinite(result.Weight));
        Assert.True(double.IsFinite(result.RelativeOutputError ?? 0));
        Assert.True(double.IsFinite(result.Find<Convergence>()?.Residual ?? 0));
        long zeros = result.Weight.eq(Scalars.Of(0)).sum().item<long>();
        if (pruner.Contains("bit", StringComparison.Ordinal))
        {
            Assert.InRange(zeros, Count(asked), (Rows * Columns) - 1); // Small weights round to zero.
        }
        else
        {
            Assert.Equal(Count(asked), zeros);
        }

        Assert.All(experts, expert => Assert.True(TensorChecks.Equal(result.Weight, expert.Weight)));
        experts.DisposeAll();
    }

    [Fact]
    public void Keep_FewerDeadThanTheTargetLetsGo_IsTheVeryTensor()
    {
        using var scope = NewDisposeScope();
        Tensor dense = Random(1, 4, 8), dead = zeros(1, 8, ScalarType.Bool);
        dead.narrow(1, 2, 2).fill_(Scalars.Of(true));
        Tensor pruned = dense.unsqueeze(0).clone();
        pruned.narrow(2, 1, 4).zero_();

        Tensor kept = DeadFeatures.Keep(pruned, dense, dead, scores => MaskSelection.Select(scores, SparsityTarget.Unstructured(0.5), SparsityScope.Row));

        Assert.True(TensorChecks.Equal(pruned, kept));
    }

    [Fact]
    public void Keep_MoreDeadThanTheTargetLetsGo_PutsTheLargestBack()
    {
        using var scope = NewDisposeScope();
        Tensor dense = tensor(new[] { 1f, -5, 3, 2, 4, 7 }).reshape(1, 6), dead = tensor(new[] { true, true, true, true, false, false }).reshape(1, 6);
        Tensor pruned = tensor(new[] { 0f, 0, 0, 0, 4.5f, 0 }).reshape(1, 1, 6);

        Tensor kept = DeadFeatures.Keep(pruned, dense, dead, scores => MaskSelection.Select(scores, SparsityTarget.Unstructured(0.5), SparsityScope.Row));

        Assert.Equal([0, -5, 3, 0, 4.5f, 0], kept.data<float>().ToArray());
    }

    private static long Count(SparsityTarget target) => target switch
    {
        NMTarget groups => Rows * Columns * (groups.GroupSize - groups.Keep) / groups.GroupSize,
        _ => (long)Math.Floor(Rows * Columns * target.Sparsity),
    };

    private static SparsityTarget Target(string target) => target switch
    {
        "0.5 row" => SparsityTarget.Unstructured(0.5, SparsityScope.Row),
        "0.5 layer" => SparsityTarget.Unstructured(0.5, SparsityScope.Layer),
        "0.3 exactly" => SparsityTarget.Exactly(961, Rows * Columns),
        _ => SparsityTarget.Parse(target),
    };

    private static ISparsifier Pruner(string name) => name switch
    {
        "magnitude" => new MagnitudeSparsifier(),
        "wanda" => new WandaSparsifier(),
        "sparsegpt" => new SparseGptSparsifier(),
        "sparsegpt small blocks" => new SparseGptSparsifier(new SparseGptOptions { BlockSize = 32 }),
        "sparsegpt 4 bits" => new SparseGptSparsifier(new SparseGptOptions { Quantization = new WeightQuantization() }),
        "alps" => new AlpsSparsifier(),
        "wanda+refit" => new WandaSparsifier().WithRefit(),
        "alps+refit" => new AlpsSparsifier().WithRefit(),
        "sparsegpt+4bit" => new SparseGptSparsifier().WithQuantization(),
        _ => new WandaSparsifier().WithRefit().WithQuantization(),
    };

    private static Tensor Random(int seed, long rows, long columns)
    {
        using var generator = new Generator((ulong)seed);
        return randn(rows, columns, generator: generator);
    }
}
