using SparseExpansion.Calibration;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Calibration inputs that the expansion makes itself, and progress told by a lambda.</summary>
public sealed class CalibrationSourceTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void CalibrateOn_AFunction_GivesTheSameAndDisposesWhatItMakes()
    {
        string expected = Expanded(builder => builder.CalibrateOn(_batches));
        var made = new List<Tensor>();

        Assert.Equal(expected, Expanded(builder => builder.CalibrateOn(() => Make(made))));
        Assert.Equal(_batches.Length, made.Count);
        Assert.All(made, tensor => Assert.True(tensor.IsInvalid));
        LeakCheck.NoTensorsLeft(() => Expanded(builder => builder.CalibrateOn(() => _batches.SelectMany(batch => batch.split(1)))), parametersDisposed: 6 + 4);
    }

    [Fact]
    public void CalibrateOn_AFunctionWithMasks_DisposesThemToo()
    {
        LeakCheck.NoTensorsLeft(
            () => Expanded(builder => builder.CalibrateOn(() => _batches.Select(batch => new CalibrationBatch(batch.clone(), ones(batch.shape[..2], dtype: ScalarType.Bool))))),
            parametersDisposed: 6 + 4);
    }

    [Fact]
    public void PlanMemory_AFunction_LeavesNoTensorsAndDoesNotEndTheBuilder()
    {
        var made = new List<Tensor>();
        ExpansionBuilder<GatedModel> builder = Configure().CalibrateOn(() => Make(made));
        Assert.True(builder.PlanMemory().PeakBytes > 0);
        Assert.All(made, tensor => Assert.True(tensor.IsInvalid));
        using ExpansionResult result = builder.Run();
        Assert.Equal(2 * _batches.Length, made.Count);
        result.Revert();
    }

    [Fact]
    public void Run_AFunctionThatFailsOrMakesNothing_DisposesWhatThereIsAndCanBeExchanged()
    {
        var made = new List<Tensor>();
        ExpansionBuilder<GatedModel> builder = Configure().CalibrateOn(
            () => Make(made).Select((tensor, i) => i < 2 ? tensor : throw new InvalidDataException("no more")));
        Assert.Throws<InvalidDataException>(() => builder.Run());
        Assert.All(made.Take(2), tensor => Assert.True(tensor.IsInvalid));
        made.ForEach(tensor => tensor.Dispose());
        Assert.Throws<CalibrationException>(() => builder.CalibrateOn(() => Array.Empty<Tensor>()).Run());
        using ExpansionResult result = builder.CalibrateOn(_batches).Run();
        result.Revert();
    }

    [Fact]
    public void Run_ALambdaForProgress_IsCalledInOrderOnThisThread()
    {
        var seen = new List<(int Thread, double Fraction)>();
        using ExpansionResult result = Configure().CalibrateOn(_batches).Run(
            step => seen.Add((Environment.CurrentManagedThreadId, step.Fraction)));
        Assert.All(seen, entry => Assert.Equal(Environment.CurrentManagedThreadId, entry.Thread));
        Assert.Equal(seen.Select(entry => entry.Fraction).Order(), seen.Select(entry => entry.Fraction));
        Assert.Equal(1, seen[^1].Fraction);
        result.Revert();
        Assert.Equal("stop", Assert.Throws<InvalidOperationException>(() => Configure().CalibrateOn(_batches).Run(_ => throw new InvalidOperationException("stop"))).Message);
        Assert.Empty(_model.Mixtures());
    }

    private IEnumerable<Tensor> Make(List<Tensor> made) => _batches.Select(batch =>
    {
        made.Add(batch.clone());
        return made[^1];
    });

    private string Expanded(Func<ExpansionBuilder<GatedModel>, ExpansionBuilder<GatedModel>> calibrate)
    {
        using ExpansionResult result = calibrate(Configure()).Run();
        string hash = TensorHash.OfState(_model.state_dict());
        result.Revert();
        return hash;
    }

    private ExpansionBuilder<GatedModel> Configure() => _model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = 2 }).PruneWith(
            new WandaSparsifier(), SparsityTarget.Unstructured(0.5));
}
