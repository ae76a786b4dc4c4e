using SparseExpansion.Tensors;
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
    /// <exception cref="ArgumentException">The sequence is longer than the table.</exception>
    public Tensor Of(ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        long positions = weight.size(0) - _offset;
        if (pass.Total > positions)
        {
            throw new ArgumentException(
                $"The sequence has {pass.Total} tokens; the model has learned {positions} positions. Shorten it.");
        }

        return (pass.Positions is { } rows
            ? weight.index_select(0, rows.flatten().Plus(_offset)).view(rows.size(0), rows.size(1), -1)
            : weight.narrow(0, _offset + pass.Start, pass.Tokens)).MoveToOuterDisposeScope();
    }
}
