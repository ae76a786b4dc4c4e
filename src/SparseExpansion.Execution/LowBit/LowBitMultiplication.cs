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
    /// <param name="experts">Weights in codes, of one shape: all <see cref="PackedWeight"/>, <see cref="QuantizedWeight"/>,
    /// or <see cref="StripWeight"/>.</param>
    /// <param name="offsets">[experts + 1] where each expert's tokens start in <paramref name="order"/>.</param>
    /// <param name="order">[tokens] token numbers sorted by expert.</param>
    /// <param name="tokens">Rounded tokens [tokens, in_features].</param>
    /// <param name="output">[tokens, out_features].</param>
    /// <param name="bias">[out_features], or <see cref="MatrixView.None"/>.</param>
    /// <exception cref="ArgumentException">Shapes do not fit, or an expert holds values instead of codes.</exception>
    public void Run<TWeight>(
        ReadOnlySpan<TWeight> experts, ReadOnlySpan<int> offsets, ReadOnlySpan<int> order, RoundedTokens tokens,
        MatrixView output, MatrixView bias)
        where TWeight : class
    {
        if (offsets.Length != experts.Length + 1 || offsets[0] != 0 || offsets[^1] != order.Length)
        {
            throw new ArgumentException(
                $"{experts.Length} experts need offsets from 0 to the {order.Length} tokens.", nameof(offsets));
        }

        fixed (int* first = order)
        {
            _work.Begin(tokens, first, new TileOutput(output, bias), Path);
            for (int expert = 0; expert < experts.Length; expert++)
            {
                int count = offsets[expert + 1] - offsets[expert];
                if (count > 0)
                {
                    _work.Add(experts[expert], offsets[expert], count);
                }
            }

            _work.Run(Threads);
        }
    }

    /// <summary>output = weight · tokens + bias.</summary>
    /// <param name="weight">A weight in codes, as those of experts.</param>
    /// <param name="order">[tokens] token numbers, and the rows of the output.</param>
    /// <param name="tokens">Rounded tokens [tokens, in_features].</param>
    /// <param name="output">[tokens, out_features].</param>
    /// <param name="bias">[out_features], or <see cref="MatrixView.None"/>.</param>
    /// <exception cref="ArgumentException">Shapes do not fit, or the weight holds values instead of codes.</exception>
    public void Run<TWeight>(
        TWeight weight, ReadOnlySpan<int> order, RoundedTokens tokens, MatrixView output, MatrixView bias)
        where TWeight : class => Run([weight], [0, order.Length], order, tokens, output, bias);

    /// <inheritdoc/>
    public void Dispose() => _work.Dispose();
}
