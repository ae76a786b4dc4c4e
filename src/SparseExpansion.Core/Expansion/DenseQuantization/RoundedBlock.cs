using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.DenseQuantization;

/// <summary>State that rounding leaves in a block besides its mixtures.</summary>
internal static class RoundedBlock
{
    /// <summary>The report of a weight.</summary>
    public static RoundedLayer Describe(RoundedParameter weight)
    {
        QuantizationGrid grid = weight.Grid;
        return new RoundedLayer(
            weight.Name, grid.Scales.shape[0], grid.Columns, grid.Quantization.Bits, grid.Quantization.GroupSize,
            weight.StoredBytes, weight.OutputError);
    }

    /// <summary>Adds the block's weights to what is stored.</summary>
    public static void Store(BlockRun block)
    {
        foreach ((int position, RoundedParameter weight) in block.Rounded.Index())
        {
            block.Tensors.Add(Name(position, "weight"), weight.Rounded);
            block.Tensors.Add(Name(position, "scales"), weight.Grid.Scales);
            block.Tensors.Add(Name(position, "zeros"), weight.Grid.Zeros);
        }
    }

    /// <summary>Rounds a weight as it was stored.</summary>
    /// <param name="block">The block.</param>
    /// <param name="stored">What the store holds of it.</param>
    /// <param name="position">Position among the weights of the block.</param>
    /// <param name="layer">Its report.</param>
    /// <param name="weight">The weight in the model.</param>
    /// <exception cref="CheckpointException">The store holds something else.</exception>
    public static void Restore(BlockRun block, RestoredBlock stored, int position, RoundedLayer layer, DenseWeight weight)
    {
        Tensor? values = stored.Find(Name(position, "weight")), scales = stored.Find(Name(position, "scales")),
            zeros = stored.Find(Name(position, "zeros"));
        if (values is null || scales is null || zeros is null || !values.shape.SequenceEqual(weight.Weight.shape))
        {
            throw Missing(block);
        }

        using var noGrad = no_grad();
        Device device = weight.Weight.device;
        var grid = new QuantizationGrid(
            new WeightQuantization { Bits = layer.Bits, GroupSize = layer.GroupSize }, checked((int)layer.InFeatures),
            scales.to(device, copy: true).DetachFromDisposeScope(), zeros.to(device, copy: true).DetachFromDisposeScope());
        using Tensor moved = values.to(device, copy: true);
        block.Run.Changes.Round(
            new RoundedParameter(weight.Name, weight.Module, weight.Weight, moved, grid) { OutputError = layer.OutputError });
    }

    /// <summary>The store lacks what rounding has left.</summary>
    public static CheckpointException Missing(BlockRun block) => new(
        $"The store does not hold the dense weights that were rounded in {block.Block.Calibration.Name}; begin anew with an empty store.");

    private static string Name(int position, string part) => $"rounded/{position}/{part}";
}
