using SparseExpansion.Calibration;
using SparseExpansion.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>What enters the first block, and the proof that the blocks follow one another.</summary>
internal static class BlockEntry
{
    /// <summary>Runs the model up to its first block and keeps, in host memory, what that block is called with.</summary>
    public static IReadOnlyList<CalibrationBatch> Capture(
        ExpansionPlan plan, Device device, CancellationToken cancellationToken)
    {
        Func<Tensor, Tensor> keep = HiddenStates.Keeper(plan.Memory);
        var model = CalibrationUnit.Of("the model", plan.Forward!, device);
        var captured = new List<CalibrationBatch>();
        try
        {
            foreach (CalibrationBatch batch in plan.Batches)
            {
                cancellationToken.ThrowIfCancellationRequested();
                captured.Add(batch with { Input = keep(CaptureOne(model, plan.Blocks[0], batch)) });
            }

            return captured;
        }
        catch
        {
            captured.ForEach(batch => batch.Input.Dispose());
            throw;
        }
    }

    /// <summary>Runs the model once and checks that every block is called with the output of the one before it.</summary>
    /// <exception cref="SparseExpansionException">A block is never called, or with something else.</exception>
    public static void CheckChain(ExpansionPlan plan, Device device)
    {
        Tensor? previous = null;
        int calls = 0;
        var remove = new List<Action>();
        foreach (Block block in plan.Blocks)
        {
            int index = remove.Count / 2;
            remove.Add(block.OnCall((input, _) =>
            {
                Check(index >= calls, plan, index, "is called again, or after blocks that come later");
                Check(index == calls, plan, calls, $"is not called through call(x) before block {index}");
                Check(previous is null || TensorChecks.Equal(previous, input), plan, index, "is called with something else than the output of the block before it");
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
            CalibrationUnit.Of("the model", plan.Forward!, device).Run(plan.Batches[0], keepOutput: false);
            Check(calls == plan.Blocks.Count, plan, calls, "is not called through call(x)");
        }
        finally
        {
            remove.ForEach(action => action());
            previous?.Dispose();
        }
    }

    private static Tensor CaptureOne(CalibrationUnit model, Block first, CalibrationBatch batch)
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

        return entry ?? throw new SparseExpansionException("The first of the blocks is not called through call(x) when the model runs.");
    }

    /// <exception cref="SparseExpansionException">A condition of running blocks one after the other does not hold.</exception>
    public static void Check(bool chained, ExpansionPlan plan, int index, string fault)
    {
        if (!chained)
        {
            string name = plan.PathOf(plan.Blocks[index].Module) ?? "which is no module of the model";
            throw new SparseExpansionException(
                $"Block {index} ({name}) {fault}, so blocks cannot be expanded one after the other. "
                + "Give Blocks(…) the model's own blocks in order, or leave Blocks out to expand the model as a whole.");
        }
    }
}
