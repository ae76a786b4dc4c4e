using SparseExpansion.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Causal attention with rotary positions and shared key heads.</summary>
internal sealed class LlamaAttention : Module
{
    private readonly Module<Tensor, Tensor> q_proj;
    private readonly Module<Tensor, Tensor> k_proj;
    private readonly Module<Tensor, Tensor> v_proj;
    private readonly Module<Tensor, Tensor> o_proj;
    private readonly ModelConfig _config;
    private readonly int _layer;
    private readonly RotaryTable _rotary;

    public LlamaAttention(ModelConfig config, int layer, RotaryTable rotary, WeightPlacement placement) : base(
        nameof(LlamaAttention))
    {
        (_config, _layer, _rotary) = (config, layer, rotary);
        long queries = (long)config.HeadCount * config.HeadDimension;
        long keys = (long)config.KeyValueHeadCount * config.HeadDimension;
        q_proj = placement.Linear(config.HiddenSize, queries, config.QueryKeyValueBias);
        k_proj = placement.Linear(config.HiddenSize, keys, config.QueryKeyValueBias);
        v_proj = placement.Linear(config.HiddenSize, keys, config.QueryKeyValueBias);
        o_proj = placement.Linear(queries, config.HiddenSize, config.AttentionOutputBias);
        RegisterComponents();
    }

    /// <summary>[batch, tokens, hidden] to the same shape.</summary>
    public Tensor Run(Tensor input, KeyValueCache? cache)
    {
        using var scope = NewDisposeScope();
        long position = cache?.Length ?? 0;
        Tensor queries = _rotary.Rotate(CausalAttention.SplitHeads(q_proj.call(input), _config.HeadCount), position);
        Tensor keys =
            _rotary.Rotate(CausalAttention.SplitHeads(k_proj.call(input), _config.KeyValueHeadCount), position);
        Tensor values = CausalAttention.SplitHeads(v_proj.call(input), _config.KeyValueHeadCount);
        if (cache is not null)
        {
            (keys, values) = cache.Append(_layer, keys, values);
        }

        return o_proj.call(CausalAttention.Attend(queries, keys, values, _config.SlidingWindow))
            .MoveToOuterDisposeScope();
    }
}
