using SparseExpansion.Models;
using SparseExpansion.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>
/// Parallel: x + attention(norm₁ x) + feed-forward(norm₂ x). Sequential: the second norm reads the sum of the first two
/// terms.
/// </summary>
internal sealed class GptNeoXBlock : DecoderBlock
{
    private readonly Module<Tensor, Tensor> input_layernorm;
    private readonly Module<Tensor, Tensor> post_attention_layernorm;
    private readonly GptNeoXAttention attention;
    private readonly GptNeoXFeedForward mlp;
    private readonly bool _parallel;

    public GptNeoXBlock(ModelConfig config, int layer, RotaryTable rotary, WeightPlacement placement) : base(
        nameof(GptNeoXBlock))
    {
        input_layernorm = new BiasedLayerNorm(config.HiddenSize, config.NormEpsilon, placement);
        post_attention_layernorm = new BiasedLayerNorm(config.HiddenSize, config.NormEpsilon, placement);
        attention = new GptNeoXAttention(config, layer, rotary, placement);
        mlp = new GptNeoXFeedForward(config, placement);
        _parallel = config.ParallelResidual;
        RegisterComponents();
    }

    internal override Tensor Run(Tensor input, KeyValueCache? cache)
    {
        using var scope = NewDisposeScope();
        Tensor attended = input.Plus(attention.Run(input_layernorm.call(input), cache));
        Tensor residual = _parallel ? input : attended;
        return attended.Plus(mlp.call(post_attention_layernorm.call(residual))).MoveToOuterDisposeScope();
    }
}
