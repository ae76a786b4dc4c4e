using SparseExpansion.Models;
using SparseExpansion.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>x + attention(norm x), then x + feed-forward(norm x).</summary>
internal sealed class LlamaBlock : DecoderBlock
{
    private readonly LlamaAttention self_attn;
    private readonly LlamaFeedForward mlp;
    private readonly Module<Tensor, Tensor> input_layernorm;
    private readonly Module<Tensor, Tensor> post_attention_layernorm;

    public LlamaBlock(ModelConfig config, int layer, RotaryTable rotary, WeightPlacement placement) : base(
        nameof(LlamaBlock))
    {
        self_attn = new LlamaAttention(config, layer, rotary, placement);
        mlp = new LlamaFeedForward(config, placement);
        input_layernorm = new RmsNorm(config.HiddenSize, config.NormEpsilon, placement);
        post_attention_layernorm = new RmsNorm(config.HiddenSize, config.NormEpsilon, placement);
        RegisterComponents();
    }

    internal override Tensor Run(Tensor input, KeyValueCache? cache)
    {
        using var scope = NewDisposeScope();
        Tensor attended = input.Plus(self_attn.Run(input_layernorm.call(input), cache));
        return attended.Plus(mlp.call(post_attention_layernorm.call(attended))).MoveToOuterDisposeScope();
    }
}
