using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.LowBit.Strips;
using SparseExpansion.Execution.LowBit.Tiles;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.LowBit;

/// <summary>
/// Products of codes with tokens rounded to eight bits: integers all the way, scaled once a group. Holds the memory that
/// products reuse; one at a time may run in it.
/// </summary>
internal sealed unsafe class LowBitMultiplication : IDisposable
{
    private readonly LowBitWork _work = new();

    /// <summary>The processor instructions to use.</summary>
    public LowBitPath Path { get; init; } = LowBitPaths.Best;

    /// <summary>Threads, the calling one among them.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// output[order[i]] = experts[e] · tokens[order[i]] + bias for offsets[e] ≤ i &lt; offsets[e + 1].
    /// </summary>
    /// <param name="experts">Packed weights in codes, of one shape.</param>
    /// <param name="offsets">[experts + 1] where each expert's tokens start in <paramref name="order"/>.</param>
    /// <param name="order">[tokens] token numbers sorted by expert.</param>
    /// <param name="tokens">Rounded tokens [tokens, in_features].</param>
    /// <param name="output">[tokens, out_features].</param>
    /// <param name="bias">[out_features], or <see cref="MatrixView.None"/>.</param>
    /// <exception cref="ArgumentException">Shapes do not fit, or an expert holds values instead of codes.</exception>
    public void Run(
        ReadOnlySpan<PackedWeight> experts, ReadOnlySpan<int> offsets, ReadOnlySpan<int> order, RoundedTokens tokens,
        MatrixView output, MatrixView bias)
    {
        CheckOffsets(experts.Length, offsets, order.Length);
        fixed (int* first = order)
        {
            _work.Begin(tokens, first, new TileOutput(output, bias), Path);
            for (int expert = 0; expert < experts.Length; expert++)
            {
                int count = offsets[expert + 1] - offsets[expert];
                PackedWeight weight = experts[expert];
                if (count > 0)
                {
                    weight.Verify();
                    Check(weight.Bits > 0 && weight.Columns == tokens.Columns, nameof(experts));
                    _work.Add(weight, null, offsets[expert], count);
                }
            }

            _work.Run(Threads);
        }
    }

    /// <summary>The same, with experts in dense codes.</summary>
    /// <param name="experts">Dense codes of one shape.</param>
    /// <param name="offsets">[experts + 1] where each expert's tokens start in <paramref name="order"/>.</param>
    /// <param name="order">[tokens] token numbers sorted by expert.</param>
    /// <param name="tokens">Rounded tokens [tokens, in_features].</param>
    /// <param name="output">[tokens, out_features].</param>
    /// <param name="bias">[out_features], or <see cref="MatrixView.None"/>.</param>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public void Run(
        ReadOnlySpan<QuantizedWeight> experts, ReadOnlySpan<int> offsets, ReadOnlySpan<int> order, RoundedTokens tokens,
        MatrixView output, MatrixView bias)
    {
        CheckOffsets(experts.Length, offsets, order.Length);
        fixed (int* first = order)
        {
            _work.Begin(tokens, first, new TileOutput(output, bias), Path);
            for (int expert = 0; expert < experts.Length; expert++)
            {
                int count = offsets[expert + 1] - offsets[expert];
                if (count > 0)
                {
                    Check(experts[expert].Columns == tokens.Columns, nameof(experts));
                    _work.Add(null, experts[expert], offsets[expert], count);
                }
            }

            _work.Run(Threads);
        }
    }

    /// <summary>The same, with experts in strips.</summary>
    /// <param name="experts">Codes in strips, of one shape.</param>
    /// <param name="offsets">[experts + 1] where each expert's tokens start in <paramref name="order"/>.</param>
    /// <param name="order">[tokens] token numbers sorted by expert.</param>
    /// <param name="tokens">Rounded tokens [tokens, in_features].</param>
    /// <param name="output">[tokens, out_features].</param>
    /// <param name="bias">[out_features], or <see cref="MatrixView.None"/>.</param>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public void Run(
        ReadOnlySpan<StripWeight> experts, ReadOnlySpan<int> offsets, ReadOnlySpan<int> order, RoundedTokens tokens,
        MatrixView output, MatrixView bias)
    {
        CheckOffsets(experts.Length, offsets, order.Length);
        fixed (int* first = order)
        {
            _work.Begin(tokens, first, new TileOutput(output, bias), Path);
            for (int expert = 0; expert < experts.Length; expert++)
            {
                int count = offsets[expert + 1] - offsets[expert];
                if (count > 0)
                {
                    Check(experts[expert].Columns == tokens.Columns, nameof(experts));
                    _work.Add(experts[expert], offsets[expert], count);
                }
            }

            _work.Run(Threads);
        }
    }

    /// <summary>output = weight · tokens + bias.</summary>
    /// <param name="weight">Dense codes.</param>
    /// <param name="order">[tokens] token numbers, and the rows of the output.</param>
    /// <param name="tokens">Rounded tokens [tokens, in_features].</param>
    /// <param name="output">[tokens, out_features].</param>
    /// <param name="bias">[out_features], or <see cref="MatrixView.None"/>.</param>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public void Run(
        QuantizedWeight weight, ReadOnlySpan<int> order, RoundedTokens tokens, MatrixView output, MatrixView bias)
    {
        Check(weight.Columns == tokens.Columns, nameof(weight));
        fixed (int* first = order)
        {
            _work.Begin(tokens, first, new TileOutput(output, bias), Path);
            _work.Add(null, weight, 0, order.Length);
            _work.Run(Threads);
        }

        GC.KeepAlive(weight);
    }

    /// <inheritdoc/>
    public void Dispose() => _work.Dispose();

    private static void CheckOffsets(int experts, ReadOnlySpan<int> offsets, int tokens)
    {
        if (offsets.Length != experts + 1 || offsets[0] != 0 || offsets[^1] != tokens)
        {
            throw new ArgumentException(
                $"{experts} experts need offsets from 0 to the {tokens} tokens.", nameof(offsets));
        }
    }

    private static void Check(bool holds, string name)
    {
        if (!holds)
        {
            throw new ArgumentException("The weights are not codes for tokens of this width.", name);
        }
    }
}
