using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.Telemetry;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>The finished blocks of a run, in the store that the request names.</summary>
internal sealed class FinishedBlocks
{
    private readonly ExpansionRun _run;
    private readonly ExpansionCheckpoints _checkpoints;
    private int _mixtures;

    private FinishedBlocks(ExpansionRun run, ExpansionCheckpoints checkpoints) =>
        (_run, _checkpoints) = (run, checkpoints);

    /// <summary>Number of blocks that need not be expanded.</summary>
    public int Count => _checkpoints.Finished;

    /// <summary>
    /// Begins anew, or checks that the stored blocks are of this very expansion; null where the request names no store.
    /// </summary>
    /// <exception cref="SparseExpansionException"> They are not, or there are some and nobody asked to go on.
    /// </exception>
    public static FinishedBlocks? Open(ExpansionRun run)
    {
        ExpansionRequest request = run.Request;
        if (request.Store is null)
        {
            return null;
        }

        var checkpoints = new ExpansionCheckpoints(
            request.Store, request.RouterKinds, mapped: request.Options.Memory is not null);
        checkpoints.Start(request.Resume, () => RunSettings.Of(run), run.Blocks.Count);
        return new FinishedBlocks(run, checkpoints);
    }

    /// <summary>Installs the blocks that are stored.</summary>
    public void Restore()
    {
        for (int b = 0; b < Count; b++)
        {
            _run.CancellationToken.ThrowIfCancellationRequested();
            Restore(new BlockRun(_run, b, []));
        }

        if (Count > 0)
        {
            Log.ExpansionResumed(_run.Request.Logger, Count, _run.Blocks.Count);
        }
    }

    /// <summary>Outputs that the last stored block hands on.</summary>
    public IReadOnlyList<CalibrationBatch> ReadHidden() => _checkpoints.RestoreActivations(_run.Batches);

    /// <summary>
    /// Lets the experts of stored blocks, which were unpacked for the whole model, lie in the store's files again.
    /// </summary>
    public void MapAgain() =>
        _checkpoints.MapAgain(_run.Changes.Installed.Take(_mixtures).Select(replacement => replacement.Mixture));

    /// <summary>Stores a block. What it hands on is then read from the store, as another run would see it.</summary>
    public void Add(BlockRun block, IReadOnlyList<LayerReport> reports)
    {
        _checkpoints.Add(
            block.Mixtures, block.Groups, reports, block.Parts.Values, block.Tensors, block.HandsOn ? _run.Hidden : []);
        _mixtures = _run.Changes.Installed.Count;
        Log.BlockStored(_run.Request.Logger, block.Index, block.Mixtures.Count);
        if (block.HandsOn)
        {
            HiddenStates.Dispose(_run.Hidden);
            _run.Hidden = [];
            _run.Hidden = ReadHidden();
        }
    }

    private void Restore(BlockRun block)
    {
        var restored = new List<Replacement>();
        try
        {
            using RestoredBlock stored = _checkpoints.Restore(block.Index, block.Block.Slots, restored);
            if (!_run.Options.Pack)
            {
                restored.ForEach(replacement => replacement.Mixture.Unpack()); // Quantized experts are stored packed in any case.
            }

            while (restored.Count > 0)
            {
                block.Install(restored[0]);
                restored.RemoveAt(0);
            }

            foreach (IExpansionStep step in _run.Request.Steps)
            {
                step.OnBlockRestored(block, stored);
            }

            _run.Finish(stored.Description.Groups, stored.Description.Reports, stored.Description.Parts);
        }
        finally
        {
            restored.ForEach(replacement => replacement.Mixture.Dispose());
        }

        _mixtures = _run.Changes.Installed.Count;
    }
}
