using SparseExpansion.Calibration;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

public sealed class HeldOutWindowTests
{
    [Theory]
    [InlineData(0.25, 9, 2, 3, 4)] // 12 windows in batches of 2, 3, 4 and 3, three of them held out
    [InlineData(0.5, 6, 2, 3, 1)]
    [InlineData(0.01, 11, 2, 3, 4, 2)]
    public void LeaveOut_Sequences_KeepsTheFirstOnes(double share, int rows, params int[] kept)
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] batches = [.. new[] { 2, 3, 4, 3 }.Select(count => new CalibrationBatch(rand(count, 5, 3), Mask(count, 5)))];
        var views = new List<Tensor>();

        IReadOnlyList<CalibrationBatch> left = HeldOutWindows.LeaveOut(batches, share, views);

        Assert.Equal(kept, left.Select(batch => (int)batch.Input.shape[0]));
        Assert.True(TensorChecks.Equal(cat([.. batches.Select(batch => batch.Input)]).narrow(0, 0, rows), cat([.. left.Select(batch => batch.Input)])));
        Assert.True(TensorChecks.Equal(
            cat([.. batches.Select(batch => batch.Mask!)]).narrow(0, 0, rows).flatten(),
            cat([.. left.Select(batch => batch.Mask!.flatten())])));
        Assert.Equal(12 - rows, HeldOutWindows.Count(12, share));
    }

    /// <summary>No window is a small rest: it could be the only one that is held out.</summary>
    [Theory]
    [InlineData(4_081)]
    [InlineData(4_096)]
    [InlineData(2_041)]
    [InlineData(300)]
    [InlineData(21)]
    public void Cut_RowsOfAMatrix_AreWindowsOfAboutOneLength(int rows)
    {
        using Tensor matrix = zeros(rows, 3);
        TuningWindow[] windows = [.. TuningWindow.Cut([new CalibrationBatch(matrix)])];
        Assert.Equal(rows, windows.Sum(window => window.Length));
        Assert.Equal(windows.Skip(1).Select(window => window.Start), windows.SkipLast(1).Select(window => window.Start + window.Length));
        Assert.InRange(windows.Max(window => window.Length) - windows.Min(window => window.Length), 0, 1);
        Assert.InRange(windows.Length, 20, Math.Max(21, (rows / 256) + 21));
    }

    [Fact]
    public void LeaveOut_FlatMask_GoesWithItsRows()
    {
        using var scope = NewDisposeScope();
        var batch = new CalibrationBatch(rand(4, 5, 3), Mask(4, 5).flatten());
        CalibrationBatch left = Assert.Single(HeldOutWindows.LeaveOut([batch], 0.25, []));
        Assert.Equal((3L, 15L), (left.Input.shape[0], left.Mask!.shape[0]));
    }

    [Theory]
    [InlineData(2, 0.5)]
    [InlineData(3, 0.25)]
    public void LeaveOut_ThenRead_ShareNoWindow(int dimensions, double share)
    {
        using var scope = NewDisposeScope();
        Tensor Rows(int first, int count) => TensorArithmetic.Range(count, ScalarType.Float32).Plus(first).reshape([count, .. Enumerable.Repeat(1L, dimensions - 1)]).expand([count, .. Enumerable.Repeat(4L, dimensions - 1)]);
        CalibrationBatch[] batches = [new(Rows(0, 50)), new(Rows(50, 30)), new(Rows(80, 45))];
        HashSet<float> Seen(IEnumerable<Tensor> inputs) =>
            [.. inputs.SelectMany(input => input.flatten().data<float>().ToArray())];

        HashSet<float> fitted = Seen(
            HeldOutWindows.LeaveOut(batches, share, []).Select(batch => batch.Input.contiguous()));

        // Outputs of four dimensions change nothing: inputs alone decide where windows end.
        var windows = new TuningWindows(
            CPU, batches, [.. batches.Select(batch => new CalibrationBatch(zeros(batch.Input.shape[0], 2, 2, 2)))]);
        int heldOut = HeldOutWindows.Count(windows.Count, share), first = windows.Count - heldOut;
        HashSet<float> judged = Seen(windows.InOrder(first, heldOut, 4).Select(batch => windows.Read(batch).Input));
        HashSet<float> learned = Seen(
            windows.Shuffle(0, first, 4, new Random(1)).Select(batch => windows.Read(batch).Input));
        Assert.Empty(fitted.Intersect(judged));
        Assert.True(fitted.SetEquals(learned));
        Assert.Equal(125, fitted.Count + judged.Count);
    }

    [Fact]
    public void Read_MaskOfOtherShape_SelectsTheSamePositions()
    {
        using var scope = NewDisposeScope();
        Tensor input = rand(6, 5, 3), target = rand(6, 5, 2), mask = Mask(6, 5);
        Tensor[] selected = [.. new[] { mask, mask.flatten() }.Select(shaped =>
        {
            var windows = new TuningWindows(CPU, [new CalibrationBatch(input, shaped)], [new CalibrationBatch(target)]);
            TuningBatch batch = windows.Read([1, 4]);
            return batch.Select(batch.Target);
        })];
        Assert.True(TensorChecks.Equal(cat([target[1].masked_select(mask[1].unsqueeze(1)), target[4].masked_select(mask[4].unsqueeze(1))]), selected[0].flatten()));
        Assert.True(TensorChecks.Equal(selected[0], selected[1]));
    }

    [Fact]
    public void Cut_WindowsOfPadding_AreNone()
    {
        using var scope = NewDisposeScope();
        Tensor mask = ones(8, 5, ScalarType.Bool);
        mask[1] = false;
        mask[7] = false;
        CalibrationBatch[] batches = [new(rand(8, 5, 3), mask)];
        Assert.Equal([0, 2, 3, 4, 5, 6], TuningWindow.Cut(batches).Select(window => (int)window.Start));
        Assert.Equal(5, Assert.Single(HeldOutWindows.LeaveOut(batches, 1 / 3.0, [])).Input.shape[0]);
    }

    [Fact]
    public void Read_OutputsOfSequences_KeepAllOfThem()
    {
        using var scope = NewDisposeScope();
        Tensor mask = ones(6, 5, ScalarType.Bool), logits = rand(6, 4);
        mask[TensorIndex.Colon, 3] = false;
        TuningBatch batch = new TuningWindows(CPU, [new CalibrationBatch(rand(6, 5, 3), mask)], [new CalibrationBatch(logits)]).Read([0, 3]);
        Assert.True(TensorChecks.Equal(stack([logits[0], logits[3]]), batch.Select(batch.Target)));
    }

    [Fact]
    public void Read_OutputsOfFlattenedSequences_GoWithTheirSequence()
    {
        using var scope = NewDisposeScope();
        Tensor outputs = rand(30, 4);
        TuningBatch batch = new TuningWindows(CPU, [new CalibrationBatch(ones(6, 5, ScalarType.Int64))], [new CalibrationBatch(outputs)]).Read([2]);
        Assert.True(TensorChecks.Equal(outputs.narrow(0, 10, 5), batch.Target));
    }

    /// <summary>
    /// Seven rows belong to no six; and those of [positions, sequences, features] belong to positions, even where
    /// numbers fit.
    /// </summary>
    [Theory]
    [InlineData(7, 3)]
    [InlineData(12, 6, 3)]
    public void Windows_OutputsOfOtherRows_AreRefused(params int[] shape)
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<SparseExpansionException>(
            () => new TuningWindows(CPU, [new CalibrationBatch(rand(6, 5, 3))], [new CalibrationBatch(zeros([.. shape.Select(size => (long)size)]))]));
        Assert.Contains($"[{string.Join(", ", shape)}]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Windows_Vectors_StayWholeAndAlone()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] ids = [.. Enumerable.Range(0, 3).Select(i => new CalibrationBatch(full(7, Scalars.Of(i), ScalarType.Int64)))];
        var windows = new TuningWindows(CPU, ids, [.. ids.Select(batch => new CalibrationBatch(batch.Input.to(ScalarType.Float32).narrow(0, 0, 5)))]);
        Assert.Equal(3, windows.Count);
        Assert.Equal(3, windows.InOrder(0, 3, 8).Count());
        TuningBatch batch = windows.Read([2]);
        Assert.Equal((7L, 5L, 2f), (batch.Input.shape[0], batch.Target.shape[0], batch.Target[4].item<float>()));
    }

    [Theory]
    [InlineData(5, 6)]
    [InlineData(29)]
    [InlineData(0)]
    public void Cut_MaskOfOtherRows_IsRefused(params int[] shape)
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] batches = [new(rand(6, 5, 3)), new(rand(6, 5, 3), ones([.. shape.Select(size => (long)size)], ScalarType.Bool))];
        Assert.Contains("batch 1", Assert.Throws<CalibrationException>(() => TuningWindow.Cut(batches).Count()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OneWindowForTheBlocks_SaysSo()
    {
        using var model = new GatedModel();
        using Tensor batch = rand(2, 32, GatedModel.Width), mask = ones(2, 32, ScalarType.Bool);
        mask[0] = false;
        var error = Assert.ThrowsAny<SparseExpansionException>(() => model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
            .RouteWith(new RandomRouterTrainer(2)).PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5))
                .CalibrateOn([new CalibrationBatch(batch, mask)]).FineTune().Run());
        Assert.Contains("block 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("more batches", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LeaveOut_OneWindow_StaysWhole()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] sequence = [new(rand(1, 5, 3))], vector = [new(rand(7))];
        Assert.Same(sequence, HeldOutWindows.LeaveOut(sequence, 0.5, []));
        Assert.Same(vector, HeldOutWindows.LeaveOut(vector, 0.5, []));
    }

    [Fact]
    public void LeaveOut_Tokens_LeavesWindowsOfTheirLengthOut()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch left = Assert.Single(HeldOutWindows.LeaveOut([new CalibrationBatch(rand(1000, 3))], 0.1, []));
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
            .RouteWith(new RandomRouterTrainer(2)).PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5))
                .CalibrateOn(batches)
            .FineTune(new FineTuningOptions { Steps = 1, HoldOut = 0.15 });
        using ExpansionResult result = (compensated ? builder.CompensateErrors() : builder).Run();
        Assert.All(result.Report.Layers, layer => Assert.Equal(17 * 32, layer.Tokens)); // Of twenty sequences of 32 tokens.
        Array.ForEach(batches, batch => batch.Dispose());
    }

    /// <summary>Padding here and there, but no row that is nothing else.</summary>
    private static Tensor Mask(int rows, int positions)
    {
        using var scope = NewDisposeScope();
        Tensor mask = rand(rows, positions).gt(Scalars.Of(0.5));
        mask[TensorIndex.Colon, 0] = true;
        return mask.MoveToOuterDisposeScope();
    }
}
