using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.LowBit.Columns;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>Experts under bitmasks, as they lie in a file.</summary>
/// <param name="weights">Weights of one shape and type; taken over.</param>
internal sealed unsafe class PackedExperts(PackedWeight[] weights) : ExpertSet
{
    /// <inheritdoc/>
    public override int InFeatures => weights[0].Columns;

    /// <inheritdoc/>
    public override int OutFeatures => weights[0].Rows;

    /// <summary>Bytes that <see cref="ToDense"/> would allocate; 0 if the weights are values instead of codes.</summary>
    public long DenseBytes => weights[0].Grid is null ? 0 : weights.Length * DenseCodes.BytesOf(weights[0]);

    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, TokenRoute route, MatrixView output, MatrixView bias)
    {
        if (weights[0].Grid is not null && tokens.UsesCodes)
        {
            tokens.Codes.Run(weights, route.Offsets, route.Order, tokens.Rounded(InFeatures), output, bias);
        }
        else
        {
            GroupedMultiplication.Run(
                weights, route.Offsets, route.Order, tokens.View, output, bias, new ExecutionOptions(Threads: tokens.Threads));
        }
    }

    /// <summary>The same weights in dense codes, in place of these, which must not be used afterwards.</summary>
    /// <param name="threads">Threads to convert with.</param>
    public DenseExperts ToDense(int threads)
    {
        var dense = new QuantizedWeight[weights.Length];
        try
        {
            Parallel.For(0, weights.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, expert =>
            {
                dense[expert] = DenseCodes.Of(weights[expert], LowBitPaths.Best);
                Release(weights[expert]);
            });
            return new DenseExperts(dense);
        }
        catch
        {
            Array.ForEach(dense, weight => weight?.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => Array.ForEach(weights, weight => weight.Dispose());

    /// <summary>Frees what a weight allocated, and lets go of its pages of a mapped file.</summary>
    private static void Release(PackedWeight weight)
    {
        PackedArrays arrays = weight.Arrays;
        NativeArray[] all = [arrays.Values, arrays.Masks, arrays.RowOrder, arrays.PanelOffsets];
        foreach (NativeArray array in all.Where(array => array.Owner is null))
        {
            MemoryAdvice.Release((byte*)array.Address, (nuint)array.ByteLength);
        }

        weight.Dispose();
    }
}
