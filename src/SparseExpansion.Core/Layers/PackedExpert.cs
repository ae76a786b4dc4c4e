using SparseExpansion.Execution;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>One packed expert as a module, so that its arrays appear in <c>state_dict</c>.</summary>
internal sealed class PackedExpert : nn.Module
{
    private readonly Tensor values;
    private readonly Tensor masks;
    private readonly Tensor row_order;
    private readonly Tensor panel_offsets;

    /// <summary>Takes over the packed weight.</summary>
    public PackedExpert(PackedWeight weight)
        : base(nameof(PackedExpert))
    {
        Weight = weight;
        (values, masks, row_order, panel_offsets) =
            (weight.Arrays.Values, weight.Arrays.Masks, weight.Arrays.RowOrder, weight.Arrays.PanelOffsets);
        RegisterComponents();
    }

    public PackedWeight Weight { get; }

    /// <summary>Names of the arrays, in <c>state_dict</c> and in checkpoints.</summary>
    public static IReadOnlyList<string> ArrayNames { get; } = [nameof(values), nameof(masks), nameof(row_order), nameof(panel_offsets)];

    public IReadOnlyList<Tensor> Arrays => [values, masks, row_order, panel_offsets];

    /// <summary>An expert from stored arrays, in the order of <see cref="ArrayNames"/>; copied.</summary>
    public static PackedExpert FromArrays(int rows, int columns, int blockColumns, int panelRows, IReadOnlyList<Tensor> arrays)
    {
        Tensor[] copies = [.. arrays.Select(array => array.clone().DetachFromDisposeScope())];
        try
        {
            return new PackedExpert(PackedWeight.FromArrays(
                new PackedArrays(rows, columns, blockColumns, panelRows, copies[0], copies[1], copies[2], copies[3])));
        }
        catch
        {
            Array.ForEach(copies, copy => copy.Dispose());
            throw;
        }
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
