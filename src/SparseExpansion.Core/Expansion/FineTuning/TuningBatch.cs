using SparseExpansion.Calibration;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Some windows, on the device.</summary>
/// <param name="Input">Inputs of the block.</param>
/// <param name="Target">Outputs of the dense block for them.</param>
/// <param name="Mask">bool, flat, one for each position: false marks padding; null: everything counts.</param>
/// <param name="ModelInput">Inputs of the model for the same windows; null where nobody asks for them.</param>
/// <param name="Windows">Number of windows.</param>
internal sealed record TuningBatch(Tensor Input, Tensor Target, Tensor? Mask, Tensor? ModelInput, int Windows)
{
    /// <summary>Arguments that the model hands the block besides <see cref="Input"/>; null: nothing.</summary>
    public BlockArguments? Arguments { get; init; }

    /// <summary>Outputs without padding. Those that are not one for each position, a classifier's, all count.</summary>
    /// <param name="outputs">[.., features].</param>
    public Tensor Select(Tensor outputs) => Mask is not null && outputs.numel() == Mask.numel() * outputs.shape[^1]
        ? outputs.reshape(-1, outputs.shape[^1]).index_select(0, Mask.nonzero().flatten())
        : outputs;
}
