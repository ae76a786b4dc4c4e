using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Modules;

/// <summary>
/// The embedding matrix [vocabulary, hidden]: rows are looked up for ids; with tied embeddings it is the output
/// projection too.
/// </summary>
internal sealed class TokenEmbedding : Module<Tensor, Tensor>
{
    private readonly Parameter weight;

    public TokenEmbedding(int vocabulary, int hidden, WeightPlacement placement) : base(nameof(TokenEmbedding))
    {
        weight = placement.Empty(vocabulary, hidden);
        RegisterComponents();
    }

    /// <summary>[vocabulary, hidden].</summary>
    public Parameter Weight => weight;

    /// <summary>Ids [batch, sequence] to hidden states [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return weight.index_select(0, input.flatten()).view(input.size(0), input.size(1), weight.size(1))
            .MoveToOuterDisposeScope();
    }
}
