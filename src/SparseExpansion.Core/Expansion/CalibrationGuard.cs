using SparseExpansion.Calibration;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Checks calibration batches before any work is done.</summary>
internal static class CalibrationGuard
{
    public static void Check(ExpansionPlan plan, Device device)
    {
        for (int i = 0; i < plan.Batches.Count; i++)
        {
            CalibrationBatch batch = plan.Batches[i];
            if (batch.Input.numel() == 0)
            {
                throw new CalibrationException($"Calibration batch {i} is empty: [{string.Join(", ", batch.Input.shape)}].");
            }

            if (!Placement.Same(batch.Input.device, device))
            {
                throw new CalibrationException(
                    $"Calibration batch {i} lies on {batch.Input.device}, the model on {device}. Move one of them: batch.to(...) or model.to(...).");
            }
        }

        CheckWindows(plan);
    }

    /// <exception cref="CalibrationException">There is nothing that fine-tuning could learn from, or be judged by.</exception>
    public static void CheckWindows(ExpansionPlan plan)
    {
        if (plan.FineTuning is not null && CountWindows(plan) < 2)
        {
            throw new CalibrationException("Fine-tuning learns from some calibration windows and is judged by others; give at least two that are not all padding"
                + (plan.BlocksTakeMore ? "; where blocks take masks or other tensors, a window is a whole batch." : "."));
        }
    }

    /// <summary>Blocks may be called with other rows than the model, and may cut a vector; their windows are looked at when they are there.</summary>
    private static long CountWindows(ExpansionPlan plan) => plan.Blocks.Count == 0
        ? TuningWindow.Cut(plan.Batches).Count()
        : plan.BlocksTakeMore ? plan.Batches.Count
        : plan.Batches.Sum(batch => batch.Input.shape[0]);
}
