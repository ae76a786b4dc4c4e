using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Hidden states, which pass from block to block.</summary>
internal static class HiddenStates
{
    /// <summary>Runs the model up to its first block and keeps what that is called with.</summary>
    /// <returns>In host memory or mapped files; the caller disposes it.</returns>
    public static IReadOnlyList<CalibrationBatch> Enter(ExpansionRun run) =>
        BlockEntry.Capture(run.Request, run.Batches, run.Device, Keeper(run.Schedule), run.CancellationToken);

    /// <summary>Runs a block over batches.</summary>
    /// <param name="block">The block.</param>
    /// <param name="batches">Its inputs.</param>
    /// <param name="memory">Memory that keeps the outputs.</param>
    /// <param name="cancellationToken">Observed between batches.</param>
    /// <returns>
    /// The outputs in host memory or mapped files, with the masks of the batches; the caller disposes them.
    /// </returns>
    public static List<CalibrationBatch> Run(RunnablePart block, IReadOnlyList<CalibrationBatch> batches, MemorySchedule? memory, CancellationToken cancellationToken) =>
        Run(block, batches, memory, static _ => { }, cancellationToken);

    /// <inheritdoc cref="Run(RunnablePart, IReadOnlyList{CalibrationBatch}, MemorySchedule?, CancellationToken)"/>
    /// <remarks>Each batch is disposed when its output is there.</remarks>
    public static List<CalibrationBatch> Propagate(RunnablePart block, IReadOnlyList<CalibrationBatch> batches, MemorySchedule? memory, CancellationToken cancellationToken) =>
        Run(block, batches, memory, static batch => batch.Input.Dispose(), cancellationToken);

    private static List<CalibrationBatch> Run(
        RunnablePart block, IReadOnlyList<CalibrationBatch> batches, MemorySchedule? memory,
        Action<CalibrationBatch> done, CancellationToken cancellationToken)
    {
        Func<Tensor, Tensor> keep = Keeper(memory);
        var outputs = new List<CalibrationBatch>(batches.Count);
        try
        {
            foreach (CalibrationBatch batch in batches)
            {
                cancellationToken.ThrowIfCancellationRequested();
                outputs.Add(batch.WithInput(keep(block.Run(batch, keepOutput: true)!)));
                done(batch);
            }

            return outputs;
        }
        catch
        {
            Dispose(outputs);
            throw;
        }
    }

    /// <summary>Exchanges a tensor in memory for one that lies where a schedule wants it.</summary>
    public static Func<Tensor, Tensor> Keeper(MemorySchedule? memory) =>
        memory?.ScratchFolder is { } folder ? tensor => Spill(tensor, folder) : tensor => tensor;

    private static Tensor Spill(Tensor tensor, string folder)
    {
        using (tensor)
        {
            return ScratchTensor.Create(tensor, folder);
        }
    }

    public static void Dispose(IEnumerable<CalibrationBatch> hidden)
    {
        foreach (CalibrationBatch batch in hidden)
        {
            batch.Input.Dispose();
        }
    }
}
