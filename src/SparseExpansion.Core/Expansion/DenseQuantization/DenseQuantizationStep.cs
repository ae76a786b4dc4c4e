using System.Globalization;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Layers.Surgery;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.DenseQuantization;

/// <summary>Rounds what stays dense: in each block what runs before its experts, then what is left.</summary>
internal sealed record DenseQuantizationStep(DenseQuantizationOptions Options) : IExpansionStep
{
    public const string PartName = "denseQuantization";

    public string SettingName => "dense quantization";

    public string Setting => $"{Options}";

    public bool NeedsAllBlocks => true;

    public ExpansionStage? BlockStage => ExpansionStage.DenseQuantization;

    public double ShareOfBlock => 0.02;

    public void CheckBlocks(ExpansionRequest request, IReadOnlyList<ExpansionBlock> blocks)
    {
        IReadOnlyList<DenseWeight> all = DenseWeight.Find(request, blocks, new DenseQuantizationOptions());
        string? idle = Options.Layers.FirstOrDefault(pattern => !all.Any(weight => TargetFilter.Fits(pattern, weight.Name)));
        if (idle is not null)
        {
            throw new NoMatchingLayerException(
                $"No dense layer matches '{idle}', which is to be rounded. There are {all.Count}: {string.Join(", ", all.Take(8).Select(weight => weight.Name))}{(all.Count > 8 ? ", …" : "")}.",
                $"'{idle}'", [.. all.Select(weight => weight.Name)]);
        }
    }

    public StepCost Cost(WorkSize size) => DenseQuantizationCost.Of(size, Options);

    /// <summary>Rounds embeddings, from which everything else comes.</summary>
    public void BeforeBlocks(ExpansionRun run) => WeightRounder.RoundToNearest(
        run, Options.Weights, DenseWeight.Left(run, Options).Where(weight => weight.Target is null));

    public void OnBlockEntered(BlockRun block)
    {
        IReadOnlyList<DenseWeight> weights = DenseWeight.In(block, Options);
        if (weights.Count == 0 || block.Block.Slots.Count == 0)
        {
            return;
        }

        block.Report(ExpansionStage.Calibration, null, 0);
        HashSet<string> targets = [.. block.Block.Slots.Select(slot => slot.Name)];
        WithPasses(block, rounder => rounder.Round(
            rounder.FindGroups(
                [.. Targets(weights), .. block.Block.Slots.Select(slot => new CalibrationTarget(slot.Name, slot.Dense))])
                .TakeWhile(group => !group.Layers.Any(layer => targets.Contains(layer.Name))),
            weights));
    }

    public void OnBlockExpanded(BlockRun block)
    {
        block.Report(ExpansionStage.DenseQuantization, null, 0);
        IReadOnlyList<DenseWeight> weights = DenseWeight.In(block, Options);
        if (weights.Count > 0)
        {
            WithPasses(block, rounder => rounder.Round(rounder.FindGroups(Targets(weights)), weights));
            WeightRounder.RoundToNearest(block.Run, Options.Weights, DenseWeight.In(block, Options));
        }

        if (block.Index == block.Run.Blocks.Count - 1 && !block.Block.IsWholeModel)
        {
            RoundOutside(block);
        }

        Keep(block);
    }

    public void OnBlockRestored(BlockRun block, RestoredBlock stored)
    {
        Dictionary<string, DenseWeight> left = DenseWeight.Left(block.Run, Options).ToDictionary(weight => weight.Name);
        RoundedLayer[]? layers = ReportParts.Get<RoundedLayer[]>(stored.Description.Parts, PartName);
        RoundedLayer[] own = [.. (layers ?? []).Where(layer => left.ContainsKey(layer.Name))];
        for (int i = 0; i < own.Length; i++)
        {
            DenseWeight weight = left[own[i].Name];
            RoundedBlock.Restore(block, stored, i, own[i], weight);
        }

        if (layers is null || DenseWeight.In(block, Options).Count > 0)
        {
            throw RoundedBlock.Missing(block);
        }
    }

    public IEnumerable<string> Describe(ExpansionReport report)
    {
        IReadOnlyList<RoundedLayer> layers = report.DenseQuantization;
        if (layers.Count > 0)
        {
            double[] errors = [.. layers.Select(layer => layer.OutputError).OfType<double>()];
            string worst = errors.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", output error {errors.Average():0.0000} on average and {errors.Max():0.0000} at most");
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{layers.Count} dense weights rounded to {layers[0].Bits} bits, {layers.Sum(layer => layer.Bytes) / 1048576.0:0.0} MiB{worst}");
        }
    }

    private static CalibrationTarget[] Targets(IEnumerable<DenseWeight> weights) =>
        [.. weights.Select(weight => weight.Target).OfType<CalibrationTarget>()];

    /// <summary>Runs the block as it is now, without the windows that steps keep for themselves.</summary>
    private void WithPasses(BlockRun block, Action<WeightRounder> action)
    {
        var views = new List<Tensor>();
        try
        {
            action(new WeightRounder(
                block.Run, Options.Weights,
                [.. block.ForExperts(block.Inputs, views).Select(batch => (block.Block.Calibration, batch))]));
        }
        finally
        {
            views.ForEach(view => view.Dispose());
        }
    }

    /// <summary>
    /// Rounds what lies outside of the blocks, the head above all, by what the last block hands on. The rest of the
    /// model is run for nothing; experts need not be unpacked for that.
    /// </summary>
    private void RoundOutside(BlockRun block)
    {
        ExpansionRun run = block.Run;
        IReadOnlyList<DenseWeight> weights = DenseWeight.Outside(run, Options);
        if (weights.Count == 0)
        {
            return;
        }

        var tail = new ModelTail(
            run.Request.Forward!,
            () => ExpansionBlock.InPlaceOf(run.Request.Blocks[block.Index], block.Block.Slots));
        IReadOnlyList<CalibrationBatch> outputs = HiddenStates.Run(
            block.Block.Calibration, block.Inputs, run.Schedule, run.CancellationToken);
        try
        {
            var rounder = new WeightRounder(
                run, Options.Weights, [.. outputs.Select((hidden, i) => (PartOf(tail, run, i), hidden))]);
            rounder.Round(rounder.FindGroups(Targets(weights)), weights);
            WeightRounder.RoundToNearest(run, Options.Weights, DenseWeight.Outside(run, Options));
        }
        finally
        {
            HiddenStates.Dispose(outputs);
        }
    }

    private static RunnablePart PartOf(ModelTail tail, ExpansionRun run, int batch) => new(
        "the model after its blocks", hidden => tail.Run(run.Batches[batch].Input, hidden.Input), run.Device);

    /// <summary>Reports what was rounded in the block, embeddings with the first one, and hands it to the store.</summary>
    private static void Keep(BlockRun block)
    {
        IEnumerable<RoundedParameter> reported = block.Index == 0 ? block.Run.Changes.Rounded : block.Rounded;
        block.Parts.Set(PartName, reported.Select(RoundedBlock.Describe).ToArray());
        RoundedBlock.Store(block);
    }
}
