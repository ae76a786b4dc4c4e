using SparseExpansion.Execution;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>One packed expert as a module, so that its arrays appear in <c>state_dict</c>.</summary>
internal sealed class PackedExpert : nn.Module
{
    private readonly Tensor values;
    private readonly Tensor masks;
    private readonly Tensor row_order;
    private readonly Tensor panel_offsets;
    private readonly Tensor? scales;
    private readonly Tensor? zeros;

    /// <summary>Takes over the packed weight.</summary>
    public PackedExpert(PackedWeight weight)
        : base(nameof(PackedExpert))
    {
        Weight = weight;
        (values, masks, row_order, panel_offsets) =
            (weight.Arrays.Values.AsTensor(), weight.Arrays.Masks.AsTensor(), weight.Arrays.RowOrder.AsTensor(), weight.Arrays.PanelOffsets.AsTensor());
        (scales, zeros) = (weight.Arrays.Grid?.Scales.AsTensor(), weight.Arrays.Grid?.Zeros.AsTensor());
        RegisterComponents();
    }

    public PackedWeight Weight { get; }

    /// <summary>The arrays by name, in <c>state_dict</c> and in checkpoints.</summary>
    public IEnumerable<(string Name, Tensor Array)> Arrays =>
        NamesOf(Weight.Quantization)
            .Zip(
                scales is null
                    ? [values, masks, row_order, panel_offsets]
                    : new[] { values, masks, row_order, panel_offsets, scales, zeros! });

    /// <summary>Names of the arrays of an expert.</summary>
    public static IReadOnlyList<string> NamesOf(WeightQuantization? quantization) => quantization is null
        ? [nameof(values), nameof(masks), nameof(row_order), nameof(panel_offsets)]
        : [nameof(values), nameof(masks), nameof(row_order), nameof(panel_offsets), nameof(scales), nameof(zeros)];

    /// <summary>
    /// An expert from stored arrays, in the order of <see cref="NamesOf"/>; it shares their memory and keeps it.
    /// </summary>
    public static PackedExpert FromArrays(
        int rows, int columns, int blockColumns, int panelRows, WeightQuantization? quantization,
        IReadOnlyList<Tensor> arrays)
    {
        Tensor[] shares = [.. arrays.Select(array => array.alias().DetachFromDisposeScope())];
        try
        {
            QuantizationGrid? grid = quantization is null
                ? null
                : new QuantizationGrid(quantization, columns, shares[4], shares[5]);
            return new PackedExpert(PackedWeight.FromArrays(
                new PackedArrays(
                rows, columns, blockColumns, panelRows, TensorArrays.Of(shares[0], grid is null ? "values" : "codes"),
                TensorArrays.Of(shares[1], "masks"),
                TensorArrays.Of(shares[2], "row order"), TensorArrays.Of(shares[3], "panel offsets"),
                grid is null ? null : TensorArrays.Of(grid))));
        }
        catch (ArgumentException e)
        {
            Array.ForEach(shares, share => share.Dispose());
            throw new CheckpointException(
                $"The scales or zero points of a quantized expert are damaged: {PlainMessage.Clause(e)}", e);
        }
        catch
        {
            Array.ForEach(shares, share => share.Dispose());
            throw;
        }
    }

    /// <summary>
    /// Hands out the live arrays, to which the caller may write; so do <c>buffers</c> and what lists the buffers of a
    /// parent.
    /// </summary>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(
        bool recurse = true, bool include_nonpersistent = true)
    {
        foreach ((string name, Tensor buffer) in base.named_buffers(recurse, include_nonpersistent))
        {
            // Each time: the weight may be used while the caller goes through the list.
            Weight.ExpectChanges();
            yield return (name, buffer);
        }
    }

    /// <summary>Hands out a live array, to which the caller may write.</summary>
    public override Tensor? get_buffer(string target)
    {
        Weight.ExpectChanges();
        return base.get_buffer(target);
    }

    /// <summary>Hands out the live arrays, which <c>load_state_dict</c> writes to.</summary>
    public override Dictionary<string, Tensor> state_dict(
        Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        Weight.ExpectChanges();
        return base.state_dict(destination, prefix);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Weight.Dispose();
        }

        base.Dispose(disposing);
    }
}
