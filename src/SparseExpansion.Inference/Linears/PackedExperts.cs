using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.LowBit.Columns;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.LowBit.Strips;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>Experts under bitmasks, as they lie in a file.</summary>
/// <param name="weights">Weights of one shape and type; taken over.</param>
internal sealed class PackedExperts(PackedWeight[] weights) : ExpertSet
{
    /// <inheritdoc/>
    public override int InFeatures => weights[0].Columns;

    /// <inheritdoc/>
    public override int OutFeatures => weights[0].Rows;

    /// <summary>Bytes of the codes that <see cref="Rearranged"/> would allocate; 0 if the weights are values.</summary>
    public long RearrangedBytes => weights[0].Grid switch
    {
        null => 0,
        { Bits: > StripPacker.MostBits } grid => weights.Length * QuantizedWeight.CodeLength(grid.Rows, grid.Columns, grid.Bits),
        { } grid => weights.Length * StripLayout.For(grid).Bytes,
    };

    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, TokenRoute route, MatrixView output, MatrixView bias)
    {
        if (weights[0].Grid is not null && tokens.UsesCodes)
        {
            tokens.Codes.Run<PackedWeight>(weights, route.Offsets, route.Order, tokens.Rounded(InFeatures), output, bias);
        }
        else
        {
            GroupedMultiplication.Run(
                weights, route.Offsets, route.Order, tokens.View, output, bias, new ExecutionOptions(Threads: tokens.Threads));
        }
    }

    /// <summary>The same weights in the order of the kernels, in place of these, which must not be used afterwards.</summary>
    public ExpertSet Rearranged() => weights[0].Grid!.Bits > StripPacker.MostBits
        ? Converted(DenseCodes.Of)
        : Converted(StripPacker.Of);

    /// <inheritdoc/>
    public override void Dispose() => Array.ForEach(weights, weight => weight.Dispose());

    private CodedExperts<TWeight> Converted<TWeight>(Func<PackedWeight, LowBitPath, TWeight> convert)
        where TWeight : class, IDisposable
    {
        int inFeatures = InFeatures, outFeatures = OutFeatures;
        var converted = new List<TWeight>();
        try
        {
            foreach (PackedWeight weight in weights)
            {
                converted.Add(convert(weight, LowBitPaths.Best));
                Release(weight);
            }

            return new CodedExperts<TWeight>([.. converted], inFeatures, outFeatures);
        }
        catch
        {
            converted.ForEach(weight => weight.Dispose());
            throw;
        }
    }

    /// <summary>Frees what a weight allocated, and lets go of its pages of a mapped file.</summary>
    private static void Release(PackedWeight weight)
    {
        PackedArrays arrays = weight.Arrays;
        Pages.Release(arrays.Values);
        Pages.Release(arrays.Masks);
        Pages.Release(arrays.RowOrder);
        weight.Dispose();
    }
}
