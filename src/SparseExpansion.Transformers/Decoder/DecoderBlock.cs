using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Attention;
using SparseExpansion.Transformers.Decoder.FeedForward;
using SparseExpansion.Transformers.Decoder.Modules;
using SparseExpansion.Transformers.Decoder.Norms;
using SparseExpansion.Transformers.Decoder.Passes;
using SparseExpansion.Transformers.Decoder.Positions;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder;

/// <summary>
/// One transformer block. Called with hidden states [batch, sequence, hidden] it applies the causal mask and positions
/// from 0 on its own, so that it can be run apart from its model.
/// </summary>
internal sealed class DecoderBlock : Module<Tensor, Tensor>
{
    private readonly SelfAttention _attention;
    private readonly Module<Tensor, Tensor> _feedForward;
    private readonly Module<Tensor, Tensor>? _attentionNorm;
    private readonly Module<Tensor, Tensor>? _afterAttention;
    private readonly Module<Tensor, Tensor>? _feedForwardNorm;
    private readonly Module<Tensor, Tensor>? _afterFeedForward;
    private readonly ModelConfig _config;

    public DecoderBlock(ModelConfig config, int layer, RotaryTable? rotary, ModuleNames names, WeightPlacement placement)
        : base(nameof(DecoderBlock))
    {
        _config = config;
        BlockLayout layout = config.Layout;
        Module<Tensor, Tensor> AddNorm(string name) =>
            this.Add(name, Norm.Create(config, config.HiddenSize, config.NormBias, placement));

        _attention = this.Add(names.Attention, new SelfAttention(config, layer, rotary, names.AttentionParts, placement));
        _feedForward = MakeFeedForward(config, layer, names, placement);
        _attentionNorm = layout == BlockLayout.BranchNorm ? null : AddNorm(names.Norms.Attention);
        _afterAttention = HasNormAfter ? AddNorm(names.Norms.AfterAttention) : null;
        _feedForwardNorm = layout is BlockLayout.BranchNorm or BlockLayout.ParallelSharedNorm
            ? null
            : AddNorm(names.Norms.FeedForward);
        _afterFeedForward = HasNormAfter ? AddNorm(names.Norms.AfterFeedForward) : null;
    }

    private bool HasNormAfter => _config.Layout is BlockLayout.SandwichNorm or BlockLayout.BranchNorm;

    /// <summary>Runs the block on whole sequences.</summary>
    /// <param name="input">Hidden states [batch, sequence, hidden].</param>
    /// <returns>Hidden states of the same shape and dtype, a new tensor.</returns>
    public override Tensor forward(Tensor input)
    {
        using var pass = new ForwardPass(null, input.size(1), input.device);
        return Run(input, pass);
    }

    /// <summary>Runs the block on the tokens of a pass.</summary>
    public Tensor Run(Tensor input, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        Tensor result = _config.Layout is BlockLayout.Parallel or BlockLayout.ParallelSharedNorm
            ? RunParallel(input, pass)
            : RunSequential(input, pass);
        return result.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _feedForward.Dispose(); // Not among the children where these are its linears.
        }

        base.Dispose(disposing);
    }

    /// <summary>Does nothing: children have the names of the checkpoint, not those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }

    private Tensor RunParallel(Tensor input, ForwardPass pass)
    {
        Tensor normed = _attentionNorm!.call(input);
        Tensor attended = Join(input, _attention.Run(normed, pass));
        return Join(attended, _feedForward.call(_feedForwardNorm is null ? normed : _feedForwardNorm.call(input)));
    }

    private Tensor RunSequential(Tensor input, ForwardPass pass)
    {
        Tensor attended = Branch(input, _attentionNorm, _afterAttention, tokens => _attention.Run(tokens, pass));
        return Branch(attended, _feedForwardNorm, _afterFeedForward, _feedForward.call);
    }

    /// <summary>x + f(x), with norms where the layout has them.</summary>
    private Tensor Branch(
        Tensor input, Module<Tensor, Tensor>? norm, Module<Tensor, Tensor>? after, Func<Tensor, Tensor> f)
    {
        bool isLast = _config.Layout == BlockLayout.PostNorm;
        Tensor output = f(norm is null || isLast ? input : norm.call(input));
        Tensor sum = Join(input, after is null ? output : after.call(output));
        return isLast ? norm!.call(sum) : sum;
    }

    private Tensor Join(Tensor residual, Tensor branch) =>
        residual.Plus(_config.ResidualScale == 1 ? branch : branch * Scalars.Of(_config.ResidualScale));

    private Module<Tensor, Tensor> MakeFeedForward(ModelConfig config, int layer, ModuleNames names, WeightPlacement placement)
    {
        if (config.Layers[layer].HasExperts)
        {
            return this.Add(names.FeedForward, new RoutedFeedForward(config, names, placement));
        }

        return names.FeedForward.Length == 0
            ? new DenseFeedForward(config, config.IntermediateSize, names.FeedForwardParts, placement, owner: this)
            : this.Add(names.FeedForward, new DenseFeedForward(config, config.IntermediateSize, names.FeedForwardParts, placement));
    }
}
