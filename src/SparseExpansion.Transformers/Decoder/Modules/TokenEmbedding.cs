using SparseExpansion.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Modules;

/// <summary>
/// The embedding matrix [vocabulary, hidden]: rows are looked up for ids; with tied embeddings it is the output
/// projection too.
/// </summary>
internal sealed class TokenEmbedding : Module<Tensor, Tensor>, IEmbeddingMatrix
{
    private readonly Parameter weight;

    /// <param name="vocabulary">Rows.</param>
    /// <param name="hidden">Columns.</param>
    /// <param name="placement">Device and type.</param>
    /// <param name="tied">True if the matrix is the output projection, too.</param>
    public TokenEmbedding(int vocabulary, int hidden, WeightPlacement placement, bool tied) : base(nameof(TokenEmbedding))
    {
        weight = placement.Empty(vocabulary, hidden);
        RegisterComponents();
        Projection = tied ? Identity() : null; // No component: it has no tensors, and no name in checkpoints.
    }

    /// <inheritdoc/>
    public Module<Tensor, Tensor>? Projection { get; }

    /// <summary>[vocabulary, hidden].</summary>
    public Parameter Weight => weight;

    /// <summary>Logits of hidden states [.., hidden] by the same matrix.</summary>
    public Tensor Project(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return functional.linear(Projection is null ? hidden : Projection.call(hidden), weight).MoveToOuterDisposeScope();
    }

    /// <summary>Ids [batch, sequence] to hidden states [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return weight.index_select(0, input.flatten()).view(input.size(0), input.size(1), weight.size(1))
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Projection?.Dispose();
        }

        base.Dispose(disposing);
    }
}
