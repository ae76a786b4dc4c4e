using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.Telemetry;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Expands the linears of one block, input group by input group, and installs them.</summary>
internal sealed class BlockExpander(BlockRun block)
{
    private readonly ExpansionRun _run = block.Run;

    /// <summary>Finds the linears that read the same tensor.</summary>
    public static IReadOnlyList<InputGroup> FindGroups(
        ExpansionBlock block, IReadOnlyList<CalibrationBatch> batches, CancellationToken cancellationToken) =>
        InputGroupFinder.Find(
            block.Calibration, [.. block.Slots.Select(slot => new CalibrationTarget(slot.Name, slot.Dense))], batches,
            cancellationToken);

    /// <summary>
    /// Makes the experts of a block that has targets, without the windows that steps keep for themselves.
    /// </summary>
    public void Expand()
    {
        IReadOnlyList<CalibrationBatch> dense = _run.Dense?.Enter(block) ?? block.Inputs;
        var views = new List<Tensor>();
        try
        {
            IReadOnlyList<CalibrationBatch> inputs = block.ForExperts(block.Inputs, views);
            Expand(new ExpertSource(inputs, ReferenceEquals(dense, block.Inputs) ? inputs : block.ForExperts(dense, views)));
        }
        finally
        {
            views.ForEach(view => view.Dispose());
        }
    }

    private void Expand(ExpertSource source)
    {
        block.Report(ExpansionStage.Discovery, null, 0);
        IReadOnlyList<InputGroup> groups = FindGroups(block.Block, source.Inputs, _run.CancellationToken);
        var waiting = new List<LayerRun>();
        try
        {
            for (int g = 0; g < groups.Count; g++)
            {
                double share = (double)g / groups.Count;
                block.Report(ExpansionStage.Calibration, groups[g].Name, share);
                waiting.AddRange(ExpandGroup(groups[g], source, (stage, layers, within) => block.Report(stage, layers, share + (within / groups.Count))));
                block.Groups++;
                if (_run.Request.WithinBlock == BlockInputs.Expanded)
                {
                    Install(waiting);
                }
            }

            Install(waiting);
        }
        finally
        {
            waiting.ForEach(layer => layer.Discard());
        }
    }

    private void Install(List<LayerRun> waiting)
    {
        foreach (LayerRun layer in waiting)
        {
            block.Install(layer.ToReplacement());
            block.Layers.Add(layer);
        }

        waiting.Clear();
    }

    private IReadOnlyList<LayerRun> ExpandGroup(
        InputGroup inputs, ExpertSource source, Action<ExpansionStage, string, double> report)
    {
        using ActivationStore tokens = ActivationCapture.Capture(
            block.Block.Calibration, inputs, source.Inputs, _run.CancellationToken, _run.Schedule?.ScratchFolder);
        using var group = new GroupRun(block, inputs, source, tokens, report);
        GroupRouting.Route(group);
        IReadOnlyList<LayerRun> layers = new GroupExpander(group).Expand();
        foreach (LayerReport layer in layers.Select(layer => layer.ToReport()))
        {
            Instruments.Layers.Add(1);
            Instruments.Tokens.Add(layer.Tokens);
            Log.LayerExpanded(
                _run.Request.Logger, layer.Name, layer.Experts, layer.Tokens, layer.Sparsity, layer.OutputError);
        }

        return layers;
    }
}
