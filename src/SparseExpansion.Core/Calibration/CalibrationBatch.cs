using static TorchSharp.torch;

namespace SparseExpansion.Calibration;

/// <summary>One input of the model, and which of its positions count. Does not own its tensors.</summary>
/// <param name="input">Input of the model: token ids [batch, sequence],
/// embeddings, features; on the model's device.</param>
/// <param name="mask">
/// bool [batch, sequence] (or the leading dimensions of whatever the targets see): false marks padding, which enters
/// no statistic. Null: every position counts. Blocks see padded positions as
/// they stand, so pad on the right of causal models.
/// </param>
public sealed class CalibrationBatch(Tensor input, Tensor? mask = null)
{
    /// <summary>The input of the model.</summary>
    public Tensor Input { get; } = input;

    /// <summary>False marks padding; null: every position counts.</summary>
    public Tensor? Mask { get; } = mask;

    /// <summary>Arguments that the model hands its blocks beside <see cref="Input"/>; null for none.</summary>
    internal BlockArguments? Arguments { get; init; }

    /// <summary>A batch without padding.</summary>
    public static implicit operator CalibrationBatch(Tensor input) => FromTensor(input);

    /// <summary>A batch without padding.</summary>
    public static CalibrationBatch FromTensor(Tensor input) => new(input);

    /// <summary>The same positions and arguments with another input.</summary>
    internal CalibrationBatch WithInput(Tensor input) => new(input, Mask) { Arguments = Arguments };

    /// <summary>The same input with the arguments that the model hands its blocks beside it.</summary>
    internal CalibrationBatch WithArguments(BlockArguments? arguments) => new(Input, Mask) { Arguments = arguments };
}
