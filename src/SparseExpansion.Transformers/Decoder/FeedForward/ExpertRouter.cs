using SparseExpansion.Models;
using SparseExpansion.Transformers.Decoder.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.FeedForward;

/// <summary>
/// Chooses the experts of each token by a linear map. A module of its own kind, not a linear: it is no target of an
/// expansion.
/// </summary>
internal sealed class ExpertRouter : Module
{
    private readonly Parameter weight;
    private readonly ExpertRouting _routing;

    public ExpertRouter(int hidden, ExpertRouting routing, WeightPlacement placement) : base(nameof(ExpertRouter))
    {
        weight = placement.Empty(routing.Count, hidden);
        _routing = routing;
        RegisterComponents();
    }

    /// <summary>The experts of each token and their weights.</summary>
    /// <param name="tokens">[tokens, hidden].</param>
    /// <returns>Weights [tokens, experts per token] of the dtype of the tokens, and numbers of experts, int64, of the
    /// same shape.</returns>
    public (Tensor Weights, Tensor Experts) Choose(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        Tensor probabilities = functional.softmax(functional.linear(tokens, weight), -1, float32);
        (Tensor weights, Tensor experts) = probabilities.topk(_routing.PerToken, -1);
        if (_routing.NormalizesWeights)
        {
            weights = weights / weights.sum(-1, keepdim: true);
        }

        return (weights.to(tokens.dtype).MoveToOuterDisposeScope(), experts.MoveToOuterDisposeScope());
    }
}
