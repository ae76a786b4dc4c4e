using SparseExpansion.Calibration;
using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>The inputs of a block and the outputs of the dense block, in host memory, cut into windows.</summary>
internal sealed class TuningWindows
{
    private readonly IReadOnlyList<CalibrationBatch> _inputs;
    private readonly IReadOnlyList<CalibrationBatch> _targets;
    private readonly IReadOnlyList<CalibrationBatch>? _modelInputs;
    private readonly TuningWindow[] _windows;
    private readonly Device _device;

    /// <param name="device">Device of the batches.</param>
    /// <param name="inputs">Inputs of the expanded block.</param>
    /// <param name="targets">Outputs of a dense block for each of them.</param>
    /// <param name="modelInputs">Inputs of the model for each of them; null where nobody asks for them.</param>
    /// <exception cref="SparseExpansionException"> Outputs, or the inputs of the model, do not belong to the rows of
    /// the inputs.
    /// </exception>
    public TuningWindows(
        Device device, IReadOnlyList<CalibrationBatch> inputs, IReadOnlyList<CalibrationBatch> targets,
        IReadOnlyList<CalibrationBatch>? modelInputs = null)
    {
        (_inputs, _targets, _modelInputs, _device) = (inputs, targets, modelInputs, device);
        _windows = [.. TuningWindow.Cut(inputs)];
        if (_windows.Length < 2)
        {
            throw new SparseExpansionException("Fine-tuning learns from some calibration windows and is judged by others, but all tokens are in one. Give more batches, or leave FineTune out.");
        }

        if (inputs.Zip(targets).FirstOrDefault(pair => !HasRowsOf(pair.First.Input, pair.Second.Input)) is { First: { } input, Second: { } target })
        {
            throw new SparseExpansionException(
                $"Outputs [{string.Join(", ", target.Input.shape)}] have no rows that belong to those of their inputs [{string.Join(", ", input.Input.shape)}], so they cannot be fitted window by window. Leave FineTune out.");
        }

        if (modelInputs?.Zip(inputs).Any(pair => pair.First.Input.shape[0] != pair.Second.Input.shape[0]) ?? false)
        {
            throw new SparseExpansionException("The model's inputs and the block's differ in dimension 0, so windows of one are not windows of the other. Leave FineTuningOptions.OutputLoss out.");
        }
    }

    /// <summary>Number of windows.</summary>
    public int Count => _windows.Length;

    /// <summary>Batches of windows in random order; windows of different shape never meet.</summary>
    public IEnumerable<int[]> Shuffle(int first, int count, int batchWindows, Random random)
    {
        int[] order = [.. Enumerable.Range(first, count)];
        SeededRandom.ShuffleFront(order, count, random);
        return Group(order, batchWindows);
    }

    /// <summary>Batches of windows as they come.</summary>
    public IEnumerable<int[]> InOrder(int first, int count, int batchWindows) =>
        Group(Enumerable.Range(first, count), batchWindows);

    /// <summary>Puts windows on the device; the tensors belong to the current dispose scope.</summary>
    public TuningBatch Read(int[] windows)
    {
        TuningWindow[] chosen = [.. windows.Select(index => _windows[index])];
        Tensor Gather(Func<int, Tensor> source) =>
            cat([.. chosen.Select(window => window.Of(source(window.Batch).cpu(), _inputs[window.Batch].Input.shape[0]))]).to(_device);
        return new TuningBatch(
            Gather(batch => _inputs[batch].Input),
            Gather(batch => _targets[batch].Input),
            _inputs[chosen[0].Batch].Mask is null ? null : Gather(batch => _inputs[batch].Mask!.flatten()).to(ScalarType.Bool),
            _modelInputs is null ? null : Gather(batch => _modelInputs[batch].Input),
            windows.Length)
        {
            Arguments = _inputs[chosen[0].Batch].Arguments,
        };
    }

    /// <summary>
    /// Outputs go with rows of inputs if there are as many, or if sequences were flattened to [sequences · positions,
    /// features]. A vector is never cut.
    /// </summary>
    private static bool HasRowsOf(Tensor input, Tensor output) => input.Dimensions == 1
        || (output.Dimensions > 0 && (output.shape[0] == input.shape[0] || (output.Dimensions <= 2 && output.shape[0] % input.shape[0] == 0)));

    private IEnumerable<int[]> Group(IEnumerable<int> windows, int batchWindows) =>
        windows.GroupBy(ShapeOf).SelectMany(group => group.Chunk(batchWindows));

    private string ShapeOf(int window)
    {
        CalibrationBatch batch = _inputs[_windows[window].Batch];
        return batch.Input.Dimensions == 1 || batch.Arguments is not null
            ? $"whole {window}"
            : $"{batch.Input.dtype} {string.Join(",", batch.Input.shape[1..])} {batch.Mask is null}";
    }
}
