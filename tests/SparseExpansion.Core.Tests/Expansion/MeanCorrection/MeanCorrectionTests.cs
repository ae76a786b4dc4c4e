using SparseExpansion.Expansion.Reports;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.MeanCorrection;

public sealed class MeanCorrectionTests : IDisposable
{
    private readonly GatedModel _model = new(blockCount: 2);
    private readonly Tensor[] _all = GatedModel.Batches(count: 32);
    private readonly Tensor[] _batches;

    public MeanCorrectionTests() => _batches = _all[..24];

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_all, batch => batch.Dispose());
    }

    public static TheoryData<ISparsifier> Pruners =>
        [new MagnitudeSparsifier(), new WandaSparsifier(), new SparseGptSparsifier(), new AlpsSparsifier()];

    [Theory]
    [MemberData(nameof(Pruners))]
    public void Run_Corrected_LosesLessOfTheOutputsOfUnseenTokens(ISparsifier pruner)
    {
        Tensor[] unseen = _all[24..];
        Tensor[] dense = [.. unseen.Select(_model.call)];

        double plain = Lost(Builder().PruneWith(pruner, SparsityTarget.Unstructured(0.6)));
        double corrected = Lost(Builder().PruneWith(pruner, SparsityTarget.Unstructured(0.6)).CorrectMeans());

        Assert.True(corrected < 0.95 * plain, $"{corrected} against {plain}");
        Array.ForEach(dense, tensor => tensor.Dispose());

        double Lost(ExpansionBuilder<GatedModel> builder)
        {
            using ExpansionResult result = builder.Run();
            double lost = unseen.Zip(dense, (batch, output) =>
            {
                using var scope = NewDisposeScope();
                return (_model.call(batch) - output).Squared().sum().item<float>();
            }).Sum();
            result.Revert();
            return lost;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_OneLinear_LeavesNoMeanErrorInAnyCluster(bool hasBias)
    {
        using var linear = nn.Linear(GatedModel.Width, 12, hasBias);
        using Tensor tokens = cat([.. _batches.Select(batch => batch.reshape(-1, GatedModel.Width))]);
        using Tensor outputs = linear.call(tokens);
        using ExpansionResult result = linear.Expand().RouteWith(
            new PcaKMeansOptions { Experts = 4, PcaReduction = null })
            .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn([tokens]).CorrectMeans().Run();
        SparseMixtureLayer layer = Assert.Single(result.Layers).Value;
        LayerReport report = Assert.Single(result.Report.Layers);

        Assert.True(layer.HasExpertBias);
        using Tensor errors = linear.call(tokens) - outputs;
        using Tensor experts = layer.Route(tokens);
        for (int e = 0; e < layer.ExpertCount; e++)
        {
            using var scope = NewDisposeScope();
            Tensor own = experts.eq(Scalars.Of(e)).nonzero().flatten();
            Tensor lost = errors.index_select(0, own),
                kept = tokens.index_select(0, own).matmul(((Linear)linear).weight!.t());
            Assert.Equal(0, lost.mean([0L]).abs().max().item<float>(), 1e-4);
            Assert.Equal(lost.Squared().sum().item<float>() / kept.Squared().sum().item<float>(), report.ExpertReports[e].OutputError, 1e-4);
        }
    }

    [Fact]
    public void Run_ExpertsWithFewTokens_KeepTheBiasOfTheLayer()
    {
        using var linear = nn.Linear(GatedModel.Width, 12);
        using Tensor bias = linear.bias!.detach().clone();
        using ExpansionResult result = linear.Expand().RouteWith(
            new PcaKMeansOptions { Experts = 4, PcaReduction = null })
            .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches)
            .CorrectMeans(new MeanCorrectionOptions { MinimumTokens = 1_000_000 }).Run();

        Tensor own = result.Layers.Values.Single().get_parameter("bias")!;
        Assert.Equal([4, 12], own.shape);
        Assert.True(own.allclose(bias.expand(4, 12)));
    }

    [Theory]
    [InlineData(ExpertFormat.Unchanged)]
    [InlineData(ExpertFormat.Dense)]
    public void Save_Corrected_LoadsTheSameModel(ExpertFormat format)
    {
        using var folder = new TemporaryFolder();
        using ExpansionResult result = Builder().CorrectMeans().Run();
        using Tensor expected = _model.call(_batches[0]);
        result.Save(folder.File("model"), format: format);

        using var loaded = new GatedModel(blockCount: 2, seed: 9);
        ExpandedModel.Load(loaded, folder.File("model"));

        using Tensor actual = loaded.call(_batches[0]);
        Assert.True(actual.allclose(expected, 1e-4, 1e-5));
        Assert.All(loaded.Mixtures().Values, layer => Assert.True(layer.HasExpertBias));
    }

    [Fact]
    public void Run_InPasses_GivesTheSameExperts()
    {
        using ExpansionResult whole = Builder().CorrectMeans().Run();
        using Tensor expected = _model.call(_batches[0]);
        whole.Revert();
        var names = whole.Report.Layers.ToDictionary(layer => layer.Name, _ => 1);
        using ExpansionResult passes = Builder().CorrectMeans().WithSchedule(new Memory.MemorySchedule(null, names)).Run();
        using Tensor actual = _model.call(_batches[0]);

        Assert.True(actual.allclose(expected, 1e-5, 1e-6));
    }

    [Fact]
    public void Run_WithErrorCompensation_IsRefused()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(
            () => Builder().CorrectMeans().CompensateErrors().Run());
        Assert.Contains("CorrectMeans does not go with error compensation", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Corrected_IsInTheManifestAndLeavesNoTensor()
    {
        using ExpansionResult result = Builder().CorrectMeans(new MeanCorrectionOptions { MinimumTokens = 7 }).Run();
        Assert.Contains(
            "MeanCorrectionOptions { MinimumTokens = 7 }", result.Report.Manifest.Settings, StringComparison.Ordinal);
        result.Revert();

        LeakCheck.NoTensorsLeft(
            () =>
            {
                using ExpansionResult again = Builder().CorrectMeans().Run();
                again.Revert();
            },
            parametersDisposed: 6 + 6); // Six layers, all with biases.
    }

    [Fact]
    public void PlanMemory_Corrected_TakesALittleMore()
    {
        Assert.True(Builder().CorrectMeans().PlanMemory().PeakBytes >= Builder().PlanMemory().PeakBytes);
    }

    [Fact]
    public void Validate_ImpossibleValue_IsNamed()
    {
        var options = new MeanCorrectionOptions { MinimumTokens = 0 };
        Assert.Throws<ArgumentOutOfRangeException>(
            nameof(options.MinimumTokens), () => Builder().CorrectMeans(options));
        Assert.Throws<ArgumentOutOfRangeException>(nameof(options.MinimumTokens), () => Builder().WithRecipe(
            ExpansionRecipe.Published with { MeanCorrection = options }, SparsityTarget.Unstructured(0.5)));
    }

    private ExpansionBuilder<GatedModel> Builder() => _model.Expand().Blocks(m => m.blocks)
        .Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.6))
        .CalibrateOn(_batches);
}
