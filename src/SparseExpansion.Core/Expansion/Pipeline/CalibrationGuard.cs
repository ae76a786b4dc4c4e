using SparseExpansion.Calibration;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Checks calibration batches before any work is done.</summary>
internal static class CalibrationGuard
{
    /// <exception cref="CalibrationException">
    /// A batch is empty or on another device, or a step cannot work with the batches.
    /// </exception>
    public static void Check(ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, Device device)
    {
        for (int i = 0; i < batches.Count; i++)
        {
            CalibrationBatch batch = batches[i];
            if (batch.Input.numel() == 0)
            {
                throw new CalibrationException(
                    $"Calibration batch {i} is empty: [{string.Join(", ", batch.Input.shape)}].");
            }

            if (!Placement.Same(batch.Input.device, device))
            {
                throw new CalibrationException(
                    $"Calibration batch {i} lies on {batch.Input.device}, the model on {device}. Move one of them: batch.to(...) or model.to(...).");
            }
        }

        CheckSteps(request, batches);
    }

    /// <exception cref="CalibrationException">A step cannot work with the batches.</exception>
    public static void CheckSteps(ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches)
    {
        foreach (IExpansionStep step in request.Steps)
        {
            step.CheckBatches(request, batches);
        }
    }
}
