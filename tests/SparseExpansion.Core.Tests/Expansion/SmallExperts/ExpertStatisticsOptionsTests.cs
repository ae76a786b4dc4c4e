using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.SmallExperts;

public sealed class ExpertStatisticsOptionsTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Run_SmallExperts_AreDissolvedAndReported()
    {
        using ExpansionResult result = Run(new ExpertStatisticsOptions { MinimumTokens = 60 });

        Assert.Contains(result.Report.Layers, layer => layer.DissolvedExperts > 0);
        Assert.All(result.Report.Layers, layer =>
        {
            Assert.Equal(8, layer.Experts + layer.DissolvedExperts);
            Assert.All(layer.ExpertReports, expert => Assert.True(expert.Tokens >= 60));
            Assert.Equal(layer.Experts, result.Layers[layer.Name].ExpertCount);
        });
    }

    [Fact]
    public void Run_FixedStrength_IsReportedWithErrorsOnTheExpertsOwnTokens()
    {
        using ExpansionResult plain = Run(new ExpertStatisticsOptions());
        double[] before = [.. plain.Report.Layers.Select(layer => layer.OutputError)];
        plain.Revert();
        using ExpansionResult shrunken = Run(new ExpertStatisticsOptions { Shrinkage = Shrinkage.Fixed(1e9) });
        ExpansionReport read = ExpansionReport.FromJson(shrunken.Report.ToJson());

        Assert.All(read.Layers, layer => Assert.Equal(1e9, layer.PriorTokens));
        // An expert made for everything serves its own tokens worse than one made for them.
        Assert.True(read.Layers[0].OutputError > before[0], $"{read.Layers[0].OutputError} against {before[0]}");
        Assert.Contains("1000000000", read.Manifest.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_ImpossibleValues_AreNamed()
    {
        Assert.Throws<ArgumentOutOfRangeException>(
            "MinimumTokens", () => new ExpertStatisticsOptions { MinimumTokens = -1 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>("priorTokens", () => Shrinkage.Fixed(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>("share", () => Shrinkage.HeldOut(0));
        Assert.Throws<ArgumentOutOfRangeException>("share", () => Shrinkage.HeldOut(0.6));
        Assert.Throws<ArgumentNullException>(() => new ExpertStatisticsOptions { Shrinkage = null! }.Validate());
    }

    private ExpansionResult Run(ExpertStatisticsOptions options) => _model.Expand()
        .Blocks(m => m.blocks)
        .Targets("*.gate", "*.up", "*.down")
        .RouteWith(new PcaKMeansOptions { Experts = 8, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(_batches)
        .WithExpertStatistics(options)
        .Run();
}
