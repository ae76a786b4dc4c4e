using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>The product of one packed weight with a tensor of tokens.</summary>
internal static class PackedProduct
{
    /// <summary>tokens · weightᵀ + bias, without gradients.</summary>
    public static Tensor Multiply(PackedWeight weight, Tensor tokens, Tensor? bias, ExecutionOptions options = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.dim() < 1 || tokens.shape[^1] != weight.Columns)
        {
            throw new ArgumentException(
                $"Tokens [{string.Join(", ", tokens.shape)}] do not end in {weight.Columns} input features.",
                nameof(tokens));
        }

        if (bias is not null && (bias.dim() != 1 || bias.shape[0] != weight.Rows))
        {
            throw new ArgumentException(
                $"The bias [{string.Join(", ", bias.shape)}] does not have {weight.Rows} output features.",
                nameof(bias));
        }

        long[] shape = tokens.shape;
        shape[^1] = weight.Rows;
        Tensor output = empty(shape, dtype: tokens.dtype, device: CPU);
        if (output.numel() == 0)
        {
            return output;
        }

        try
        {
            Multiply(weight, tokens, bias, output, options);
            return output;
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    private static void Multiply(
        PackedWeight weight, Tensor tokens, Tensor? bias, Tensor output, ExecutionOptions options)
    {
        using var noGrad = no_grad();
        using Tensor rows = tokens.reshape(-1, weight.Columns);
        using Tensor contiguous = rows.stride(1) == 1 ? rows.alias() : rows.contiguous();
        using Tensor target = output.view(-1, weight.Rows);
        using Tensor? vector = bias?.contiguous();
        int count = checked((int)rows.shape[0]);
        int[]? rented = count > 1 ? System.Buffers.ArrayPool<int>.Shared.Rent(count) : null;
        try
        {
            Span<int> order = rented is null ? stackalloc int[1] : rented.AsSpan(0, count);
            for (int token = 0; token < count; token++)
            {
                order[token] = token;
            }

            GroupedMultiplication.Run(
                [weight], [0, count], order, MatrixView.Of(contiguous), MatrixView.Of(target),
                vector is null ? MatrixView.None : MatrixView.Of(vector), TorchProduct.Options(options));
        }
        finally
        {
            if (rented is not null)
            {
                System.Buffers.ArrayPool<int>.Shared.Return(rented);
            }
        }

        GC.KeepAlive(weight);
    }
}
