using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Refit;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static SparseExpansion.Pruning.MixedTokens;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Quantization;

public sealed class QuantizedSparsifierTests
{
    private const int Columns = 256;
    private static readonly SparsityTarget Half = SparsityTarget.Unstructured(0.5);

    public static TheoryData<int, int?> Settings => new() { { 4, 64 }, { 4, 128 }, { 4, null }, { 8, 64 }, { 8, null }, { 2, 64 }, { 2, null }, { 3, 128 } };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Quantize_GivenMask_AgreesWithTheReference(int bits, int? group)
    {
        using var scope = NewDisposeScope();
        var quantization = new WeightQuantization { Bits = bits, GroupSize = group };
        using HessianStatistic statistic = Observe(200, 3, 600);
        Tensor pruned = Random(4, 37, 200) * Random(5, 37, 200).gt(Scalars.Of(0));

        (Tensor weight, QuantizationGrid grid) = MaskedQuantizer.Quantize(pruned, statistic.Hessian, quantization, CancellationToken.None);

        using (grid)
        {
            double[,] expected = Reference(Values(pruned), Values(statistic.Hessian), bits, group ?? 200), actual = Values(weight);
            int differences = 0;
            for (int i = 0; i < actual.Length; i++)
            {
                differences += Math.Abs(expected[i / 200, i % 200] - actual[i / 200, i % 200]) > 1e-5 ? 1 : 0;
            }

            // A near tie may be rounded to the other side in float32, and changes its row.
            Assert.InRange(differences, 0, actual.Length / 20);
            Assert.True(grid.Contains(weight));
            Assert.True(weight.masked_select(pruned.eq(Scalars.Of(0))).eq(Scalars.Of(0)).all().item<bool>());
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Quantize_TensorKernel_AgreesWithPanelKernel(int bits, int? group)
    {
        using var scope = NewDisposeScope();
        var quantization = new WeightQuantization { Bits = bits, GroupSize = group };
        using HessianStatistic first = Observe(200, 3, 600), second = Observe(200, 4, 600);
        Tensor factors = DampingLadder.Factor(stack([first.Hessian, second.Hessian], 0), new SparseGptOptions().DampingSchedule, CancellationToken.None).Factors;
        Tensor pruned = stack([Random(4, 37, 200) * Random(5, 37, 200).gt(Scalars.Of(0)), Random(6, 37, 200)], 0);
        (Tensor panels, BlockGrid panelGrid) = SparseGptSolver.Quantize(pruned, factors, quantization, 128, PanelBlockKernel.Prune, CancellationToken.None);
        (Tensor tensors, BlockGrid tensorGrid) = SparseGptSolver.Quantize(pruned, factors, quantization, 128, TensorBlockKernel.Prune, CancellationToken.None);
        Assert.True((panels - tensors).abs().gt(Scalars.Of(1e-5)).to(ScalarType.Float32).mean().item<float>() < 0.05);
        Assert.True(panelGrid.Scales.allclose(tensorGrid.Scales, 0.1, 0.01));
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void SparseGpt_Quantized_LosesLessThanRoundingAfterwards(int bits, int? group)
    {
        using var scope = NewDisposeScope();
        var quantization = new WeightQuantization { Bits = bits, GroupSize = group };
        using HessianStatistic statistic = Observe(Columns, 1, 600);
        Tensor weight = Random(2, 64, Columns);
        using PruningResult plain = new SparseGptSparsifier().Prune(weight, statistic, Half);
        using PruningResult joint = new SparseGptSparsifier(new SparseGptOptions { Quantization = quantization }).Prune(weight, statistic, Half);
        using PruningResult after = new SparseGptSparsifier().WithQuantization(quantization).Prune(weight, statistic, Half);
        using QuantizationGrid grid = QuantizationGrid.Fit(plain.Weight, quantization);
        double nearest = statistic.RelativeOutputError(weight, grid.Round(plain.Weight));

        Assert.True(joint.RelativeOutputError < nearest, $"{joint.RelativeOutputError} is not below {nearest}.");
        Assert.True(joint.Weight.eq(after.Weight).all().item<bool>(), "Both ways must be the same.");
        Assert.Equal(quantization, joint.Grid!.Quantization);
        Assert.True(joint.Grid.Contains(joint.Weight));
        Assert.True(joint.Weight.masked_select(plain.Weight.eq(Scalars.Of(0))).eq(Scalars.Of(0)).all().item<bool>());
    }

    [Fact]
    public void SparseGpt_Quantized_ExpertsTogetherAreThoseOneByOne()
    {
        using var scope = NewDisposeScope();
        ISparsifier pruner = new SparseGptSparsifier(new SparseGptOptions { Quantization = new WeightQuantization() });
        using HessianStatistic first = Observe(Columns, 1, 600), second = Observe(Columns, 2, 600);
        Tensor weight = Random(2, 40, Columns);
        IReadOnlyList<PruningResult> together = pruner.PruneExperts(weight, [first, second], SparsityTarget.NM(2, 4));
        using PruningResult alone = pruner.Prune(weight, second, SparsityTarget.NM(2, 4));
        Assert.True(together[1].Weight.eq(alone.Weight).all().item<bool>());
        Assert.True(together[1].Grid!.Scales.eq(alone.Grid!.Scales).all().item<bool>());
        Assert.All(together, result => result.Dispose());
    }

    [Fact]
    public void AlpsAndRefit_Quantized_StayBetterThanSparseGpt()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(Columns, 1, 600);
        Tensor weight = Random(2, 64, Columns);
        using PruningResult sparseGpt = new SparseGptSparsifier().WithQuantization().Prune(weight, statistic, Half);
        using PruningResult refit = new SparseGptSparsifier().WithRefit().WithQuantization().Prune(weight, statistic, Half);
        using PruningResult alps = new AlpsSparsifier().WithQuantization().Prune(weight, statistic, Half);
        Assert.True(refit.RelativeOutputError < sparseGpt.RelativeOutputError);
        Assert.True(alps.RelativeOutputError < refit.RelativeOutputError);
        Assert.NotNull(refit.Find<RefitReport>());
        Assert.NotNull(alps.Find<Convergence>());
        Assert.Equal("alps+4bit", new AlpsSparsifier().WithQuantization().Name);
    }

    [Fact]
    public void Magnitude_Quantized_RoundsToTheNearest()
    {
        using var scope = NewDisposeScope();
        ISparsifier inner = new MagnitudeSparsifier(), pruner = inner.WithQuantization(new WeightQuantization { Bits = 8 });
        using IActivationStatistic statistic = pruner.CreateStatistic(new LayerDescriptor("layer", Columns, 16, CPU));
        statistic.Observe(Random(1, 10, Columns));
        Tensor weight = Random(2, 16, Columns);
        using PruningResult plain = inner.Prune(weight, statistic, Half), quantized = pruner.Prune(weight, statistic, Half);
        using QuantizationGrid grid = QuantizationGrid.Fit(plain.Weight, new WeightQuantization { Bits = 8 });
        Assert.True(grid.Round(plain.Weight).eq(quantized.Weight).all().item<bool>());
        Assert.Contains("Bits = 8", pruner.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void BadCombinations_AreRefused()
    {
        ISparsifier quantized = new SparseGptSparsifier().WithQuantization();
        Assert.Contains("already", Assert.Throws<ArgumentException>("pruner", () => quantized.WithQuantization()).Message, StringComparison.Ordinal);
        Assert.Contains("WithRefit", Assert.Throws<ArgumentException>("pruner", () => quantized.WithRefit()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("Bits", () => new SparseGptSparsifier().WithQuantization(new WeightQuantization { Bits = 5 }));
        Assert.Throws<ArgumentOutOfRangeException>("BlockSize", () => new SparseGptSparsifier(
            new SparseGptOptions { BlockSize = 96, Quantization = new WeightQuantization { GroupSize = 64 } }));
    }

    /// <summary>Of a pruner of one's own it is known only when it has returned a grid.</summary>
    [Fact]
    public void CustomPrunerThatRounds_IsRefusedOnceItHas()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(Columns, 1, 600);
        Tensor weight = Random(2, 8, Columns);
        var rounding = new RoundingSparsifier();
        Assert.Contains("already", Assert.Throws<PruningException>(() => rounding.WithQuantization().Prune(weight, statistic, Half)).Message, StringComparison.Ordinal);
        Assert.Contains("WithRefit", Assert.Throws<PruningException>(() => rounding.WithRefit().Prune(weight, statistic, Half)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SparseGpt_HopelessHessian_RoundsWandasChoice()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(64, 1, 600);
        statistic.Hessian.neg_(); // No damping makes it positive.
        var options = new SparseGptOptions { Quantization = new WeightQuantization() };
        using PruningResult result = new SparseGptSparsifier(options).Prune(Random(3, 8, 64), statistic, Half);
        Assert.Equal(DampingMethod.WandaFallback, result.Find<DampingRung>()!.Method);
        Assert.True(result.Grid!.Contains(result.Weight));
    }

    [Fact]
    public void Prune_Quantized_LeavesNoTensors()
    {
        using HessianStatistic statistic = Observe(Columns, 1, 600);
        using Tensor weight = Random(2, 8, Columns);
        ISparsifier[] pruners =
        [
            new SparseGptSparsifier(new SparseGptOptions { Quantization = new WeightQuantization() }),
            new SparseGptSparsifier().WithRefit().WithQuantization(new WeightQuantization { GroupSize = null }),
        ];
        LeakCheck.NoTensorsLeft(() => Array.ForEach(pruners, pruner => pruner.Prune(weight, statistic, Half).Dispose()));
        LeakCheck.NoTensorsLeft(() => Array.ForEach(pruners, pruner => Assert.All(pruner.PruneExperts(weight, [statistic, statistic], Half), result => result.Dispose())));
    }

    /// <summary>One column and one row at a time, by the book.</summary>
    private static double[,] Reference(double[,] pruned, double[,] hessian, int bits, int width)
    {
        int rows = pruned.GetLength(0), columns = pruned.GetLength(1);
        double[,] w = (double[,])pruned.Clone(), u = SparseGptReference.Factor((double[,])pruned.Clone(), (double[,])hessian.Clone(), 0.01);
        for (int row = 0; row < rows; row++)
        {
            (float Scale, int Zero) grid = default;
            for (int column = 0; column < columns; column++)
            {
                if (column % width == 0)
                {
                    grid = GridReference.Fit(
                        Enumerable.Range(column, Math.Min(width, columns - column)).Where(j => pruned[row, j] != 0).Select(j => (float)w[row, j]), bits);
                }

                double kept = pruned[row, column] == 0 ? 0 : GridReference.Round(w[row, column], grid.Scale, grid.Zero, bits);
                double error = (w[row, column] - kept) / u[column, column];
                for (int later = column + 1; later < columns; later++)
                {
                    w[row, later] -= error * u[column, later];
                }

                w[row, column] = kept;
            }
        }

        return w;
    }

    private sealed class RoundingSparsifier : Sparsifier<HessianStatistic>
    {
        public override string Name => "rounding";

        public override HessianStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures, layer.Device);

        protected override PrunedWeight PruneCore(Tensor weight, HessianStatistic statistic, SparsityTarget target, CancellationToken cancellationToken)
        {
            (Tensor rounded, QuantizationGrid grid) = MaskedQuantizer.ToNearest(weight, new WeightQuantization());
            return new PrunedWeight(rounded) { Grid = grid, MayKeepMore = true };
        }
    }
}
