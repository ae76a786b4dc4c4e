using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Layers;
using SparseExpansion.Models;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;

namespace SparseExpansion.Transformers;

public sealed class PretrainedExpansionTests : IDisposable
{
    private static readonly SparsityTarget s_half = SparsityTarget.Unstructured(0.5);
    private static readonly PretrainedExpansionOptions s_quick = new()
    {
        Recipe = ExpansionRecipe.Fast,
        Context = 64,
        Configure =
            builder => builder.RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null, Restarts = 1 }),
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Expand_AFolderAndAText_GivesAFolderThatLoads()
    {
        string output = _folder.File("expanded");
        var fractions = new List<double>();
        ExpansionReport report = PretrainedModel.Expand(
            SampleFolder.Path, output, SampleFolder.Text, s_half,
            s_quick with { Progress = step => fractions.Add(step.Fraction) });

        using CausalLanguageModel model = PretrainedModel.Load(output);
        Assert.Equal(report.Layers.Select(layer => layer.Name), model.Mixtures().Keys);
        Assert.Equal(3 * model.Config.LayerCount, report.Layers.Count);
        Assert.All(model.Mixtures().Values, layer => Assert.Equal((2, true, 0.5), (layer.ExpertCount, layer.IsPacked, Math.Round(layer.MeasureSparsity(), 2))));
        Assert.True(model.Mixtures().ContainsKey("model.layers.0.mlp.up_proj"));
        Assert.NotEmpty(TextTokenizer.Load(output).Encode("a text"));
        Assert.True(File.Exists(Path.Combine(output, ExpansionResult.ReportFileName)));
        Assert.Equal(1, fractions[^1]);
    }

    [Fact]
    public void Expand_WithOptions_FollowsThem()
    {
        string output = _folder.File("expanded");
        Directory.CreateDirectory(output);
        File.WriteAllText(Path.Combine(output, "former"), "");
        PretrainedModel.Expand(SampleFolder.Path, output, SampleFolder.Text, SparsityTarget.NM(2, 4), s_quick with
        {
            Overwrite = true,
            Format = ExpertFormat.Dense,
            Configure = builder => builder.Targets("model.layers.1.mlp.up_proj").RouteWith(new SingleExpertRouterTrainer()).PruneWith(new MagnitudeSparsifier(), SparsityTarget.NM(2, 4)),
        });

        Assert.False(File.Exists(Path.Combine(output, "former")));
        using CausalLanguageModel model = PretrainedModel.Load(output);
        SparseMixtureLayer layer = Assert.Single(model.Mixtures()).Value;
        Assert.Equal(("model.layers.1.mlp.up_proj", 1, false), (layer.Name, layer.ExpertCount, layer.IsPacked));
    }

    [Fact]
    public void Expand_AnOutputThatCannotBe_FailsBeforeTheWork()
    {
        string output = _folder.File("full");
        Directory.CreateDirectory(output);
        File.WriteAllText(Path.Combine(output, "something"), "");
        var untouched = s_quick with { Progress = _ => Assert.Fail("The work has begun.") };
        Assert.Contains("is not empty", Fails(SampleFolder.Path, output, untouched), StringComparison.Ordinal);

        string model = _folder.File("model");
        Directory.CreateDirectory(model);
        Fixture.CopyModel(Fixture.Llama, model);
        Assert.Contains(
            "holds the dense checkpoint itself", Fails(model, model, untouched with { Overwrite = true }),
            StringComparison.Ordinal);
        Assert.Contains(
            "holds the dense checkpoint itself",
            Fails(model, Path.Combine(model, ".."), untouched with { Overwrite = true }), StringComparison.Ordinal);
    }

    [Fact]
    public void Expand_APathInPlaceOfText_SaysSo()
    {
        string path = Path.Combine(SampleFolder.Path, "calibration.txt");
        string message = Assert.Throws<CalibrationException>(() => PretrainedModel.Expand(SampleFolder.Path, _folder.File("output"), path, s_half)).Message;
        Assert.Contains("File.ReadAllText", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("output")));
        Assert.Throws<ArgumentOutOfRangeException>(() => PretrainedModel.Expand(SampleFolder.Path, _folder.File("output"), SampleFolder.Text, s_half, s_quick with { Context = 1 }));
    }

    [Fact]
    public void SavePretrained_OverItsSource_Refuses()
    {
        string folder = _folder.File("model");
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(SampleFolder.Path))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        using CausalLanguageModel model = PretrainedModel.Load(folder);
        using ExpansionResult result = model.ExpandFeedForward(s_half, ExpansionRecipe.Fast)
            .Targets("model.layers.0.mlp.up_proj")
            .CalibrateOnText(SampleFolder.Text, TextTokenizer.Load(folder), context: 64).Run();
        Assert.Throws<CheckpointException>(() => result.SavePretrained(folder, source: folder, overwrite: true));
        Assert.True(File.Exists(Path.Combine(folder, "model.safetensors")));
        Assert.False(ExpandedModel.IsExpanded(folder));
    }

    private static string Fails(string folder, string output, PretrainedExpansionOptions options) =>
        Assert.Throws<CheckpointException>(() => PretrainedModel.Expand(folder, output, SampleFolder.Text, s_half, options)).Message;
}
