using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Fits expanded blocks to the dense ones, block after block.</summary>
internal sealed record FineTuningStep(FineTuningOptions Options) : IExpansionStep
{
    public const string PartName = "fineTuning";

    public string SettingName => "fine-tuning";

    public string Setting => $"{Options}";

    public string? SettingWithout => "none";

    public (string Name, object? Value)? AbsentFromReport => (PartName, Array.Empty<BlockFineTuning>());

    public bool NeedsDenseOutputs => Options.Target == FineTuningTarget.DenseModel;

    public ExpansionStage? BlockStage => ExpansionStage.FineTuning;

    public double ShareOfBlock => 0.5;

    public void Validate(ExpansionRequest request)
    {
        const string Without = "Leave one of them out; a recipe does without fine-tuning as recipe with { FineTuning = null }.";
        if (request.Options.Memory is not null)
        {
            throw new InvalidOperationException(
                "Fine-tuning keeps what enters and leaves a block, and its experts with their gradients, in memory; "
                + $"it does not go with a memory budget (WithMemory). {Without}");
        }

        if (request.Sparsifier is IRoundingSparsifier { RoundsWeights: true })
        {
            throw new InvalidOperationException(
                "FineTune does not go with quantization: training would move the weights off the grid that pruner "
                + $"'{request.Sparsifier.Name}' rounds them to. {Without}");
        }
    }

    /// <summary>
    /// Layers after blocks are run through the whole model: the dense one is gone, and its outputs would all have to be
    /// kept.
    /// </summary>
    public void CheckBlocks(ExpansionRequest request, IReadOnlyList<ExpansionBlock> blocks)
    {
        if (request.Blocks.Count > 0 && blocks[^1].IsWholeModel)
        {
            throw new SparseExpansionException(
                $"Fine-tuning goes block by block, but these targets lie outside the blocks: {BlockPlanner.Enumerate(blocks[^1].Slots)}. Leave them out, or leave fine-tuning out.");
        }
    }

    public void CheckBatches(ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches)
    {
        if (CountWindows(request, batches) < 2)
        {
            throw new CalibrationException("Fine-tuning learns from some calibration windows and is judged by others; give at least two that are not all padding"
                + (request.BlocksTakeMore ? "; where blocks take masks or other tensors, a window is a whole batch." : "."));
        }
    }

    public StepCost Cost(WorkSize size) => new()
    {
        PropagatesDense = true,
        Block = new BlockCost("fine-tuning", TuningWork.Bytes(size, Options), TuningWork.Operations(size, Options)),
    };

    /// <summary>Experts are made without the windows that judge them.</summary>
    public IReadOnlyList<CalibrationBatch> ForExperts(IReadOnlyList<CalibrationBatch> batches, List<Tensor> views) =>
        HeldOutWindows.LeaveOut(batches, Options.HoldOut, views);

    public void OnBlockExpanded(BlockRun block)
    {
        if (block.Layers.Count == 0)
        {
            return;
        }

        IReadOnlyList<CalibrationBatch>? own = NeedsDenseOutputs
            ? null
            : block.RunDense(() => HiddenStates.Run(block.Block.Calibration, block.Inputs, block.Run.Schedule, block.Run.CancellationToken));
        try
        {
            Tune(block, own ?? block.DenseOutputs!);
        }
        finally
        {
            HiddenStates.Dispose(own ?? []);
        }
    }

    public void OnBlockRestored(BlockRun block, RestoredBlock stored)
    {
        if (block.Block.Slots.Count == 0)
        {
            return;
        }

        IReadOnlyList<Parameter> norms = FindNorms(block);
        Tensor?[] values = [.. norms.Select((_, position) => stored.Find(TunedBlock.NormName(position)))];
        if (ReportParts.Get<BlockFineTuning>(stored.Description.Parts, PartName) is null
            || stored.Find(TunedBlock.NormName(norms.Count)) is not null
            || norms.Zip(values).Any(pair => pair.First.numel() != pair.Second?.numel()))
        {
            throw new CheckpointException(
                $"The store does not hold what fine-tuning left in {block.Block.Calibration.Name}: its report and {norms.Count} norms; begin anew with an empty store.");
        }

        using var noGrad = no_grad();
        foreach ((Parameter norm, Tensor? value) in norms.Zip(values))
        {
            block.Run.Changes.Save(norm);
            norm.copy_(value!);
        }
    }

    public IEnumerable<string> Describe(ExpansionReport report) => report.FineTuning.Select(block => ReportText.Text(
        $"block {block.Block} fine-tuned: held-out {block.Loss} {block.LossBefore:0.000000} to {block.LossAfter:0.000000}, by step {block.KeptStep} of {block.Steps}"));

    private void Tune(BlockRun block, IReadOnlyList<CalibrationBatch> target)
    {
        ExpansionRun run = block.Run;
        string name = block.Block.Calibration.Name;
        bool toOutputs = Options.OutputLoss is not null && block.IsLast,
            throughTail = toOutputs && !block.Block.IsWholeModel;
        TuningWindows windows = LayerErrors.Named(
            name, "fine-tuning", () => new TuningWindows(block.Block.Calibration.Device, block.Inputs, target, throughTail ? run.Batches : null));
        var tuner = new BlockFineTuner(
            toOutputs ? Options with { Loss = Options.OutputLoss! } : Options,
            throughTail ? new ModelTail(run.Request.Forward!, () => ExpansionBlock.InPlaceOf(run.Request.Blocks[block.Index], block.Block.Slots)) : null,
            run.Options.Seed + block.Index,
            share => block.Report(ExpansionStage.FineTuning, null, share),
            run.CancellationToken);
        IReadOnlyList<Parameter> norms = FindNorms(block);
        foreach (Parameter norm in norms)
        {
            run.Changes.Save(norm);
        }

        SparseMixtureLayer[] layers = [.. block.Mixtures];
        BlockFineTuning report = LayerErrors.Named(
            name, "fine-tuning", () => tuner.Tune(block.Block.Calibration, block.Index, layers, norms, windows));
        FineTuningLog.BlockFineTuned(
            run.Request.Logger, name, report.LossBefore, report.LossAfter, report.KeptStep, report.Steps);
        TunedBlock.Add(block, report, norms);
    }

    /// <summary>
    /// A norm that blocks share stays: training it for one of them would change the others, and the dense outputs of
    /// those to come.
    /// </summary>
    private IReadOnlyList<Parameter> FindNorms(BlockRun block)
    {
        ExpansionRequest request = block.Run.Request;
        return !Options.TrainNorms ? []
            : block.Block.IsWholeModel ? BlockNorms.Find(request.Model)
            : [.. BlockNorms.Find(request.Blocks[block.Index].Module)
                .Except(request.Blocks.Where((_, other) => other != block.Index).SelectMany(other => BlockNorms.Find(other.Module)))];
    }

    /// <summary>
    /// Blocks may be called with other rows than the model, and may cut a vector; their windows are looked at when they
    /// are there.
    /// </summary>
    private static long CountWindows(ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches) =>
        request.Blocks.Count == 0
        ? TuningWindow.Cut(batches).Count()
        : request.BlocksTakeMore ? batches.Count
        : batches.Sum(batch => batch.Input.shape[0]);
}
