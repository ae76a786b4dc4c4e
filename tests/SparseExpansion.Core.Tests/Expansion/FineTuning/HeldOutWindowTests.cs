using SparseExpansion.Calibration;
using SparseExpansion.Internal;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

public sealed class HeldOutWindowTests
{
    [Theory]
    [InlineData(0.25, 9, 2, 3, 4)] // 12 windows in batches of 2, 3, 4 and 3, three of them held out
    [InlineData(0.5, 6, 2, 3, 1)]
    [InlineData(0.01, 11, 2, 3, 4, 2)]
    public void LeaveOut_Sequences_KeepsTheFirstOnes(double share, int rows, params int[] kept)
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] batches = [.. new[] { 2, 3, 4, 3 }.Select(count => new CalibrationBatch(rand(count, 5, 3), rand(count, 5).gt(0.5)))];
        var views = new List<Tensor>();

        IReadOnlyList<CalibrationBatch> left = TuningWindows.LeaveOut(batches, share, views);

        Assert.Equal(kept, left.Select(batch => (int)batch.Input.shape[0]));
        Assert.True(TensorChecks.Equal(cat([.. batches.Select(batch => batch.Input)]).narrow(0, 0, rows), cat([.. left.Select(batch => batch.Input)])));
        Assert.True(TensorChecks.Equal(cat([.. batches.Select(batch => batch.Mask!)]).narrow(0, 0, rows), cat([.. left.Select(batch => batch.Mask!)])));
        Assert.Equal(12 - rows, TuningWindows.HeldOut(12, share));
    }

    [Fact]
    public void LeaveOut_FlatMask_GoesWithItsRows()
    {
        using var scope = NewDisposeScope();
        var batch = new CalibrationBatch(rand(4, 5, 3), rand(20).gt(0.5));
        CalibrationBatch left = Assert.Single(TuningWindows.LeaveOut([batch], 0.25, []));
        Assert.Equal((3L, 15L), (left.Input.shape[0], left.Mask!.shape[0]));
    }

    [Fact]
    public void LeaveOut_OneWindow_StaysWhole()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] sequence = [new(rand(1, 5, 3))], vector = [new(rand(7))];
        Assert.Same(sequence, TuningWindows.LeaveOut(sequence, 0.5, []));
        Assert.Same(vector, TuningWindows.LeaveOut(vector, 0.5, []));
    }

    [Fact]
    public void LeaveOut_Tokens_LeavesWindowsOfTheirLengthOut()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch left = Assert.Single(TuningWindows.LeaveOut([new CalibrationBatch(rand(1000, 3))], 0.1, []));
        Assert.Equal(900, left.Input.shape[0]); // Twenty windows of 50 tokens.
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_FineTuned_MakesExpertsWithoutTheHeldOutWindows(bool compensated)
    {
        using var model = new GatedModel();
        Tensor[] batches = GatedModel.Batches(count: 10);
        ExpansionBuilder<GatedModel> builder = model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
            .RouteWith(new RandomRouterTrainer(2)).PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(batches)
            .FineTune(new FineTuningOptions { Steps = 1, HoldOut = 0.15 });
        using ExpansionResult result = (compensated ? builder.CompensateErrors() : builder).Run();
        Assert.All(result.Report.Layers, layer => Assert.Equal(17 * 32, layer.Tokens)); // Of twenty sequences of 32 tokens.
        Array.ForEach(batches, batch => batch.Dispose());
    }
}
