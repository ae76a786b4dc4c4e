using System.Runtime.InteropServices;
using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration;

/// <summary>A part of a model that can be run by itself: a block, or the whole model.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Forward">Runs the part.</param>
/// <param name="Device">Where its inputs are wanted.</param>
internal sealed record CalibrationUnit(string Name, Func<Tensor, Tensor> Forward, Device Device)
{
    /// <summary>Runs the part under <c>no_grad</c>; hooks may end the pass early, which gives null.</summary>
    /// <exception cref="CalibrationException">libtorch refuses the input.</exception>
    /// <returns>The output in host memory if it is wanted; the caller disposes it.</returns>
    public Tensor? Run(Tensor input, bool keepOutput)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        try
        {
            Tensor output = Forward(input.to(Device));
            return keepOutput ? output.to(CPU, copy: true).MoveToOuterDisposeScope() : null;
        }
        catch (StopForwardException)
        {
            return null;
        }
        catch (ExternalException e)
        {
            throw new CalibrationException(
                $"Running {Name} on a calibration input {input.dtype} [{string.Join(", ", input.shape)}] failed: {PlainMessage.Of(e)}", e);
        }
    }
}
