using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Hidden states of the dense model, from block to block, beside those of the expanded one.</summary>
internal sealed class DenseStream(ExpansionRun run) : IDisposable
{
    private IReadOnlyList<CalibrationBatch>? _outputs;

    /// <summary>Takes the dense model's own inputs of the first block, where weights before it were rounded.</summary>
    public void Begin()
    {
        if (run.Changes.Rounded.Count > 0)
        {
            _outputs = run.Changes.WithDense(0, 0, () => HiddenStates.Enter(run));
        }
    }

    /// <summary>Inputs of a block in the dense model.</summary>
    /// <param name="block">
    /// The block; as long as nothing before it is expanded, its inputs are those of the dense model.
    /// </param>
    public IReadOnlyList<CalibrationBatch> Enter(BlockRun block) =>
        _outputs is { } own && !block.Block.IsWholeModel ? own : block.Inputs;

    /// <summary>Runs a block as it was.</summary>
    /// <returns>The outputs, valid until the next call.</returns>
    public IReadOnlyList<CalibrationBatch> Advance(BlockRun block)
    {
        _outputs = block.RunDense(() => _outputs is { } own
            ? HiddenStates.Propagate(block.Block.Calibration, own, run.Schedule, run.CancellationToken)
            : HiddenStates.Run(block.Block.Calibration, block.Inputs, run.Schedule, run.CancellationToken));
        return _outputs;
    }

    /// <summary>Runs the blocks that are not expanded again, before anything is installed in them.</summary>
    /// <param name="finished">Number of them that are finished; the next is no whole model.</param>
    public void Resume(int finished)
    {
        IReadOnlyList<CalibrationBatch> entry = run.Changes.WithDense(0, 0, () => HiddenStates.Enter(run));
        try
        {
            for (int b = 0; b < finished; b++)
            {
                Advance(new BlockRun(run, b, entry));
            }
        }
        finally
        {
            HiddenStates.Dispose(entry);
        }
    }

    /// <summary>Frees the outputs.</summary>
    public void Dispose()
    {
        HiddenStates.Dispose(_outputs ?? []);
        _outputs = null;
    }
}
