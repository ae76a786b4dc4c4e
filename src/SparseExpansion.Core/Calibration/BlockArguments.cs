using static TorchSharp.torch;

namespace SparseExpansion.Calibration;

/// <summary>
/// Arguments that a model hands its blocks beside the hidden state, for one batch: masks, positions. In host memory;
/// the tensors belong to the run.
/// </summary>
/// <param name="blocks">For each block, its arguments after the first.</param>
internal sealed class BlockArguments(IReadOnlyList<IReadOnlyList<Tensor?>> blocks)
{
    /// <summary>
    /// Copies of the arguments of one block, on a device, in the current
    /// dispose scope: blocks may work on them in place.
    /// </summary>
    public Tensor?[] Of(int block, Device device) =>
        [.. blocks[block].Select(argument => argument?.to(device, copy: true))];

    /// <summary>The arguments of one block.</summary>
    public IReadOnlyList<Tensor?> Of(int block) => blocks[block];
}
