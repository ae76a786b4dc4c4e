using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.Telemetry;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Carries out a request, block by block. Undoes everything when it does not reach the end.</summary>
/// <param name="request">The request, valid.</param>
/// <param name="batches">The calibration batches.</param>
/// <param name="progress">Told of every step; may be null.</param>
/// <param name="cancellationToken">Observed between units of work.</param>
internal sealed class ExpansionPipeline(
    ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, IProgress<ExpansionProgress>? progress,
    CancellationToken cancellationToken)
{
    public ExpansionResult Run()
    {
        long started = request.Options.TimeProvider.GetTimestamp();
        IReadOnlyList<ExpansionBlock> blocks = WorkPlan.Blocks(request);
        Device device = blocks[0].Calibration.Device;
        CalibrationGuard.Check(request, batches, device);
        Log.ExpansionStarted(request.Logger, blocks.Sum(block => block.Slots.Count), request.Trainer!.Name, request.Sparsifier!.Name, request.Target!);
        using var modes = new EvaluationMode(request.Model);
        using var stages = new StageReporter(
            progress, request.Options.TimeProvider, blocks.Count, WorkSize.CountTokens(batches));
        ExpansionRun? run = null;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            MemorySchedule? schedule = request.Schedule ?? WorkPlan.Schedule(request, batches, blocks);
            using RecordedArguments arguments = RecordedArguments.Of(request, batches, device, cancellationToken);
            run = new ExpansionRun(request, blocks, schedule, arguments.Batches, stages, cancellationToken);
            Expand(run);
            ExpansionReport report = CreateReport(
                run, request.Options.TimeProvider.GetElapsedTime(started).TotalSeconds);
            run.Report(ExpansionStage.Finished, blocks.Count - 1, null, 1);
            Log.ExpansionFinished(request.Logger, report.Layers.Count, report.Seconds);
            return new ExpansionResult(request.Model, report, run.Changes);
        }
        catch (Exception e)
        {
            stages.Fail(e);
            Log.ExpansionUndone(request.Logger, e.GetType().Name);
            run?.Changes.Undo();
            throw;
        }
    }

    private static void Expand(ExpansionRun run)
    {
        using DenseStream? dense = run.Request.Steps.Any(step => step.NeedsDenseInputs || step.NeedsDenseOutputs)
            ? new DenseStream(run)
            : null;
        run.Dense = dense;
        FinishedBlocks? store = FinishedBlocks.Open(run);
        foreach (IExpansionStep step in run.Request.Steps)
        {
            step.BeforeBlocks(run);
        }

        try
        {
            ExpandBlocks(run, store);
        }
        finally
        {
            HiddenStates.Dispose(run.Hidden);
        }
    }

    private static void ExpandBlocks(ExpansionRun run, FinishedBlocks? store)
    {
        int first = store?.Count ?? 0;
        if (first < run.Blocks.Count && !run.Blocks[first].IsWholeModel && Differs(run, first))
        {
            run.Dense?.Resume(first);
        }

        store?.Restore();
        run.Hidden = EnterBlock(run, store, first);
        if (first == 0 && !run.Blocks[0].IsWholeModel)
        {
            run.Dense?.Begin();
        }

        for (int b = first; b < run.Blocks.Count; b++)
        {
            var block = new BlockRun(run, b, run.Blocks[b].IsWholeModel ? run.Batches : run.Hidden);
            ExpandBlock(block);
            Finish(block, store);
        }
    }

    /// <summary>True if blocks before one are not what they are in the dense model.</summary>
    private static bool Differs(ExpansionRun run, int first) => first > 0
        && (run.Request.NeedsAllBlocks || run.Blocks.Take(first).Any(block => block.Slots.Count > 0));

    /// <summary>Inputs of the first block that is left to do, if that is not the whole model.</summary>
    private static IReadOnlyList<CalibrationBatch> EnterBlock(ExpansionRun run, FinishedBlocks? store, int first)
    {
        if (first == run.Blocks.Count || run.Blocks[first].IsWholeModel)
        {
            return [];
        }

        if (first > 0)
        {
            return store!.ReadHidden();
        }

        BlockEntry.CheckChain(run.Request, run.Batches[0], run.Device);
        return HiddenStates.Enter(run);
    }

    /// <summary>Installs the mixtures of a block, lets the steps work on it, and feeds the next one.</summary>
    private static void ExpandBlock(BlockRun block)
    {
        ExpansionRun run = block.Run;
        if (block.Block.IsWholeModel)
        {
            run.Changes.Unpack();
        }

        foreach (IExpansionStep step in run.Request.Steps)
        {
            step.OnBlockEntered(block);
        }

        if (block.Block.Slots.Count > 0)
        {
            new BlockExpander(block).Expand();
        }

        AdvanceDense(block);
        foreach (IExpansionStep step in run.Request.Steps)
        {
            step.OnBlockExpanded(block);
        }

        if (block.HandsOn)
        {
            block.Report(ExpansionStage.Propagation, null, 1);
            run.Hidden = HiddenStates.Propagate(
                block.Block.Calibration, run.Hidden, run.Schedule, run.CancellationToken);
        }
    }

    /// <summary>Runs the block in the dense model, once that differs from the expanded one.</summary>
    private static void AdvanceDense(BlockRun block)
    {
        ExpansionRun run = block.Run;
        bool wanted = block.HandsOn || run.Request.Steps.Any(step => step.NeedsDenseOutputs);
        if (run.Dense is null || run.Changes.IsEmpty || !wanted)
        {
            return;
        }

        ExpansionStage? next = block.Layers.Count == 0
            ? null
            : run.Request.Steps.Select(step => step.BlockStage).FirstOrDefault(stage => stage is not null);
        block.Report(next ?? ExpansionStage.Propagation, null, next is null ? 1 : 0);
        block.DenseOutputs = run.Dense.Advance(block);
    }

    /// <summary>Packs the block's experts, reports them, and stores the block.</summary>
    private static void Finish(BlockRun block, FinishedBlocks? store)
    {
        ExpansionRun run = block.Run;
        block.Report(ExpansionStage.Packing, null, 1);
        run.CancellationToken.ThrowIfCancellationRequested();
        if (block.Block.IsWholeModel)
        {
            store?.MapAgain();
        }

        if (run.Options.Pack)
        {
            run.Changes.Pack();
        }

        LayerReport[] reports = [.. block.Layers.Select(layer => layer.ToReport())];
        run.Finish(block.Groups, reports, block.Parts.Values);
        Instruments.ExpertBytes.Add(reports.Sum(report => report.ExpertBytes));
        store?.Add(block, reports);
    }

    private static ExpansionReport CreateReport(ExpansionRun run, double seconds) => new()
    {
        Manifest = ManifestFactory.Create(run.Request, run.Batches, run.Layers),
        Layers = run.Layers,
        Seconds = seconds,
        Parts = ReportParts.Complete(
            run.BlockParts.Select(part => KeyValuePair.Create(part.Key, (object)part.Value)),
            ExpansionRecipe.Remarks.Select(part => part.AbsentFromReport)),
    };
}
