using SparseExpansion.Calibration;
using SparseExpansion.Internal;
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

        if (plan.FineTuning is not null && TuningWindow.Cut(plan.Batches).Take(2).Count() < 2)
        {
            throw new CalibrationException("Fine-tuning learns from some calibration windows and is judged by others; give at least two that are not all padding.");
        }
    }
}
