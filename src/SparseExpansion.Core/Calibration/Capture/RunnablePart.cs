using System.Runtime.InteropServices;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Capture;

/// <summary>A part of a model that can be run by itself: a block, or the whole model.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Forward">Runs the part.</param>
/// <param name="Device">Device of its inputs.</param>
internal sealed record RunnablePart(string Name, Func<CalibrationBatch, Tensor> Forward, Device Device)
{
    /// <summary>A part that needs nothing but its input, such as the whole model.</summary>
    public static RunnablePart Of(string name, Func<Tensor, Tensor> forward, Device device) =>
        new(name, batch => forward(batch.Input), device);

    /// <summary>Runs the part under <c>no_grad</c>; hooks may end the pass early, which gives null.</summary>
    /// <remarks>
    /// On a copy of the input: models may work in place on their input, and every pass must see the same.
    /// </remarks>
    /// <exception cref="CalibrationException">libtorch refuses the input.</exception>
    /// <returns>The output in host memory if it is wanted; the caller disposes it.</returns>
    public Tensor? Run(CalibrationBatch batch, bool keepOutput)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        try
        {
            Tensor output = Forward(batch.WithInput(batch.Input.to(Device, copy: true)));
            return keepOutput ? output.to(CPU, copy: true).MoveToOuterDisposeScope() : null;
        }
        catch (StopForwardException)
        {
            return null;
        }
        catch (ExternalException e)
        {
            throw new CalibrationException(
                $"Running {Name} on a calibration input {TensorText.Of(batch.Input)} "
                + $"failed: {PlainMessage.Clause(e)}", e);
        }
    }
}
