using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>Inputs of the first block, and the proof that the blocks follow one another.</summary>
internal static class BlockEntry
{
    /// <summary>Runs the model up to its first block and keeps what that block is called with.</summary>
    /// <param name="request">The model and its blocks.</param>
    /// <param name="batches">Inputs of the model.</param>
    /// <param name="device">Device of the model.</param>
    /// <param name="keep">Exchanges a tensor in host memory for one that lies where it is wanted.</param>
    /// <param name="cancellationToken">Observed between batches.</param>
    public static IReadOnlyList<CalibrationBatch> Capture(
        ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, Device device, Func<Tensor, Tensor> keep,
        CancellationToken cancellationToken)
    {
        var model = RunnablePart.Of("the model", request.Forward!, device);
        var captured = new List<CalibrationBatch>();
        try
        {
            foreach (CalibrationBatch batch in batches)
            {
                cancellationToken.ThrowIfCancellationRequested();
                captured.Add(batch.WithInput(keep(CaptureOne(model, request.Blocks[0], batch))));
            }

            return captured;
        }
        catch
        {
            captured.ForEach(batch => batch.Input.Dispose());
            throw;
        }
    }

    /// <summary>
    /// Runs the model once and checks that every block is called with the output of the one before it.
    /// </summary>
    /// <exception cref="SparseExpansionException">A block is never called, or with something else.</exception>
    public static void CheckChain(ExpansionRequest request, CalibrationBatch batch, Device device)
    {
        Tensor? previous = null;
        int calls = 0;
        var remove = new List<Action>();
        foreach (Block block in request.Blocks)
        {
            int index = remove.Count / 2;
            remove.Add(block.OnCall((input, _) =>
            {
                Check(index >= calls, request, index, "is called again, or after blocks that come later");
                Check(index == calls, request, calls, $"is not called through call(x) before block {index}");
                Check(previous is null || TensorChecks.Equal(previous, input), request, index, "is called with something other than the output of the block before it");
            }));
            remove.Add(block.OnReturn(output =>
            {
                previous?.Dispose();
                previous = output.detach().clone().DetachFromDisposeScope();
                calls++;
                return output;
            }));
        }

        try
        {
            RunnablePart.Of("the model", request.Forward!, device).Run(batch, keepOutput: false);
            Check(calls == request.Blocks.Count, request, calls, "is not called through call(x)");
        }
        finally
        {
            remove.ForEach(action => action());
            previous?.Dispose();
        }
    }

    private static Tensor CaptureOne(RunnablePart model, Block first, CalibrationBatch batch)
    {
        Tensor? entry = null;
        Action unhook = first.OnCall((seen, _) =>
        {
            entry = seen.detach().to(CPU, copy: true).DetachFromDisposeScope();
            throw new StopForwardException();
        });
        try
        {
            model.Run(batch, keepOutput: false);
        }
        finally
        {
            unhook();
        }

        return entry ?? throw new SparseExpansionException(
            "The first of the blocks is not called through call(x) when the model runs.");
    }

    /// <exception cref="SparseExpansionException"> A condition of running blocks one after the other does not hold.
    /// </exception>
    public static void Check(bool chained, ExpansionRequest request, int index, string fault)
    {
        if (!chained)
        {
            string name = request.PathOf(request.Blocks[index].Module) ?? "which is not a module of the model";
            throw new SparseExpansionException(
                $"Block {index} ({name}) {fault}, so blocks cannot be expanded one after the other. "
                + "Give Blocks(…) the model's own blocks in order, or leave Blocks out to expand the model as a whole.");
        }
    }
}
