using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>
/// Multiplies every token with the packed weight of its expert; one expert and one token are the same thing, smaller.
/// </summary>
internal static class GroupedMultiplication
{
    // The tiles of one pass are read once for every panel, so they must stay in the last-level cache: 8 MB. More tokens
    // are done in several passes, which costs one more reading of the weight each. Measured at 4096 x 11008 and 512
    // tokens: 1.3 to 2.4 times as fast as one pass.
    private const long PassFloats = 2L * 1024 * 1024;

    // Whole tiles of the widest kernel.
    private const int PassStep = 64;

    // The dense way unpacks the weight once for all tokens that it is given; what bounds them is the memory for a copy.
    private const long DenseFloats = 64L * 1024 * 1024;

    /// <summary>
    /// output[order[i]] = experts[e] · tokens[order[i]] + bias for offsets[e] ≤ i &lt; offsets[e + 1].
    /// </summary>
    /// <param name="experts">Packed weights of one shape and dtype.</param>
    /// <param name="offsets">[experts + 1] where each expert's tokens start in <paramref name="order"/>; see
    /// <see cref="TokenGrouping"/>.</param>
    /// <param name="order">[tokens] token numbers sorted by expert.</param>
    /// <param name="tokens">[tokens, in_features].</param>
    /// <param name="output">[tokens, out_features]; must not overlap the tokens.</param>
    /// <param name="bias">[out_features], or <see cref="MatrixView.None"/>.</param>
    /// <param name="options">Choices to fix.</param>
    public static void Run(
        ReadOnlySpan<PackedWeight> experts, ReadOnlySpan<int> offsets, ReadOnlySpan<int> order,
        MatrixView tokens, MatrixView output, MatrixView bias, ExecutionOptions options = default)
    {
        Check(experts, offsets, order);
        if (order.IsEmpty)
        {
            return;
        }

        PrepareChoices(experts, offsets, tokens.IsBFloat16, options);
        ExecutionWorkspace workspace = ExecutionWorkspace.Current;
        try
        {
            workspace.Begin(order, bias, experts[0].Rows);
            Run(workspace, experts, offsets, tokens, output, options);
        }
        finally
        {
            workspace.Clear();
        }
    }

    private static void Run(
        ExecutionWorkspace workspace, ReadOnlySpan<PackedWeight> experts, ReadOnlySpan<int> offsets, MatrixView tokens,
        MatrixView output, ExecutionOptions options)
    {
        int threads = options.Degree;
        InstructionSet instructions = options.Instructions ?? InstructionSets.Best;
        KernelTable table = KernelTable.For(instructions, experts[0].DType);
        int passTokens = PassTokens(experts), planned = 0;
        for (int expert = 0; expert < experts.Length; expert++)
        {
            int first = offsets[expert], end = offsets[expert + 1];
            if (first == end)
            {
                continue;
            }

            PackedWeight weight = experts[expert];
            KernelKind kind = options.Kernel ?? KernelSelector.Choose(weight, end - first, tokens.IsBFloat16, options);
            if (kind == KernelKind.Dense)
            {
                DenseMultiply(
                    weight, workspace, first, end, tokens, output,
                    options with { Instructions = instructions, Threads = threads });
                continue;
            }

            for (int count; first < end; first += count)
            {
                count = Math.Min(end - first, passTokens);
                if (planned + count > passTokens)
                {
                    workspace.Run(tokens, output, threads);
                    planned = 0;
                }

                workspace.Add(weight, table, kind, first, count, options.Panels ?? int.MaxValue, options.Indices);
                planned += count;
            }
        }

        workspace.Run(tokens, output, threads);
    }

    // Measuring runs multiplications of its own in this thread's workspace, so it comes before the workspace is taken.
    private static void PrepareChoices(
        ReadOnlySpan<PackedWeight> experts, ReadOnlySpan<int> offsets, bool bfloat16Tokens, ExecutionOptions options)
    {
        for (int expert = 0; options.Kernel is null && expert < experts.Length; expert++)
        {
            int count = offsets[expert + 1] - offsets[expert];
            if (count > 0)
            {
                KernelSelector.Choose(experts[expert], count, bfloat16Tokens, options);
            }
        }
    }

    /// <summary>
    /// Tokens of a pass: their tiles and a panel's sums, whichever is larger, stay within bounds for every expert.
    /// </summary>
    private static int PassTokens(ReadOnlySpan<PackedWeight> experts)
    {
        int widest = 1;
        foreach (PackedWeight expert in experts)
        {
            widest = Math.Max(widest, Math.Max(expert.Layout.PaddedColumns, expert.Layout.PanelRows));
        }

        return (int)Math.Max(PassStep, (PassFloats / widest + PassStep / 2) / PassStep * PassStep);
    }

    private static unsafe void DenseMultiply(
        PackedWeight weight, ExecutionWorkspace workspace, int first, int end, MatrixView tokens, MatrixView output,
        ExecutionOptions options)
    {
        IDenseProduct dense = options.Dense
            ?? throw new InvalidOperationException("There is no dense product to multiply with.");
        int most = (int)Math.Max(PassStep, DenseFloats / weight.Columns);
        for (int count; first < end; first += count)
        {
            count = Math.Min(end - first, most);
            dense.Multiply(weight, tokens, workspace.Order + first, count, output, workspace.Bias, options);
        }
    }

    private static void Check(ReadOnlySpan<PackedWeight> experts, ReadOnlySpan<int> offsets, ReadOnlySpan<int> order)
    {
        if (experts.IsEmpty || offsets.Length != experts.Length + 1 || offsets[0] != 0 || offsets[^1] != order.Length)
        {
            throw new ArgumentException(
                $"{experts.Length} experts need offsets from 0 to the {order.Length} tokens.", nameof(offsets));
        }

        for (int expert = 0; expert < experts.Length; expert++)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(offsets[expert + 1], offsets[expert], nameof(offsets));
            experts[expert].Verify();
            if (experts[expert].Rows != experts[0].Rows || experts[expert].Columns != experts[0].Columns
                || experts[expert].DType != experts[0].DType)
            {
                throw new ArgumentException("All experts must have one shape and dtype.", nameof(experts));
            }
        }

        foreach (int token in order)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(token, nameof(order));
        }
    }
}
