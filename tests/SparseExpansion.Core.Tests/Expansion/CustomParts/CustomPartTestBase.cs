using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>A model of two blocks whose expansion is given parts of a user's own.</summary>
public abstract class CustomPartTestBase : IDisposable
{
    private readonly Tensor _before;

    private protected CustomPartTestBase() => _before = Model.call(Batches[0]);

    private protected GatedModel Model { get; } = new();

    private protected Tensor[] Batches { get; } = GatedModel.Batches();

    public void Dispose()
    {
        _before.Dispose();
        Model.Dispose();
        Array.ForEach(Batches, batch => batch.Dispose());
        GC.SuppressFinalize(this);
    }

    private protected ExpansionBuilder<GatedModel> Builder() => Model.Expand()
        .Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new RandomRouterTrainer(2))
        .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(Batches);

    /// <summary>The message of an expansion that fails and leaves the model as it was.</summary>
    private protected string Fails(ExpansionBuilder<GatedModel> builder, params string[] said)
    {
        SparseExpansionException error = Assert.ThrowsAny<SparseExpansionException>(() => builder.Run());
        Assert.All(said, text => Assert.Contains(text, error.Message, StringComparison.Ordinal));
        AssertUntouched();
        return error.Message;
    }

    /// <summary>
    /// An expansion with a part that works in place gives the very experts that one with a well-behaved part gives, and
    /// leaves the dense model alone.
    /// </summary>
    private protected void AssertSame(ExpansionBuilder<GatedModel> behaved, ExpansionBuilder<GatedModel> inPlace)
    {
        (Dictionary<string, Tensor[]> expected, double[] errors) = Experts(behaved);
        (Dictionary<string, Tensor[]> experts, double[] ownErrors) = Experts(inPlace);
        Assert.Equal(expected.Keys, experts.Keys);
        Assert.All(expected, layer => Assert.All(layer.Value.Zip(experts[layer.Key]), pair => Assert.True(TensorChecks.Equal(pair.First, pair.Second), layer.Key)));
        Assert.Equal(errors, ownErrors);
        AssertUntouched();
    }

    private protected void AssertUntouched()
    {
        Assert.DoesNotContain(Model.modules(), module => module is SparseMixtureLayer);
        using Tensor after = Model.call(Batches[0]);
        Assert.True(TensorChecks.Equal(_before, after));
    }

    private static (Dictionary<string, Tensor[]> Experts, double[] Errors) Experts(ExpansionBuilder<GatedModel> builder)
    {
        using ExpansionResult result = builder.Run();
        var experts = result.Layers.ToDictionary(
            layer => layer.Key,
            layer => Enumerable.Range(0, layer.Value.ExpertCount).Select(layer.Value.GetExpertWeight).ToArray());
        result.Revert();
        return (experts, [.. result.Report.Layers.SelectMany(layer => layer.ExpertReports).Select(expert => expert.OutputError)]);
    }
}
