using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Positions;

/// <summary>Learned position embeddings [offset + positions, hidden].</summary>
internal sealed class PositionEmbedding : nn.Module
{
    private readonly Parameter weight;
    private readonly int _offset;

    public PositionEmbedding(int positions, int offset, int hidden, WeightPlacement placement)
        : base(nameof(PositionEmbedding))
    {
        weight = placement.Empty(offset + positions, hidden);
        _offset = offset;
        RegisterComponents();
    }

    /// <summary>Rows of the new tokens: [tokens, hidden], or [batch, tokens, hidden] with padding.</summary>
    /// <param name="start">Place of the first of them in the sequence.</param>
    /// <param name="tokens">Their number.</param>
    /// <param name="positions">Positions [batch, tokens] where sequences begin with padding; else null.</param>
    /// <param name="length">Tokens of the longest sequence, padding not included.</param>
    /// <exception cref="ArgumentException">The sequence is longer than the table.</exception>
    public Tensor Of(long start, long tokens, Tensor? positions, long length)
    {
        using var scope = NewDisposeScope();
        long known = weight.size(0) - _offset;
        if (length > known)
        {
            throw new ArgumentException(
                $"The sequence has {length} tokens; the model has learned {known} positions. Shorten it.");
        }

        return (positions is null
            ? weight.narrow(0, _offset + start, tokens)
            : weight.index_select(0, positions.flatten().Plus(_offset)).view(positions.size(0), positions.size(1), -1)).MoveToOuterDisposeScope();
    }
}
