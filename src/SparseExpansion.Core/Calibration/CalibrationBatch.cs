using static TorchSharp.torch;

namespace SparseExpansion.Calibration;

/// <summary>One input of the model, and which of its positions count.</summary>
/// <param name="Input">What the model is called with: token ids [batch, sequence], embeddings, features; on the model's device.</param>
/// <param name="Mask">
/// bool [batch, sequence] (or the leading dimensions of whatever the targets see): false marks padding, which enters
/// no statistic. Null: every position counts. Blocks see padded positions as they stand, so pad on the right of causal models.
/// </param>
public sealed record CalibrationBatch(Tensor Input, Tensor? Mask = null)
{
    /// <summary>What the model hands its blocks beside <see cref="Input"/>; null: nothing.</summary>
    internal BlockArguments? Arguments { get; init; }

    /// <summary>A batch without padding.</summary>
    public static implicit operator CalibrationBatch(Tensor input) => FromTensor(input);

    /// <summary>A batch without padding.</summary>
    public static CalibrationBatch FromTensor(Tensor input) => new(input);
}
