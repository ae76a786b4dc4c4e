using SparseExpansion.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Causal attention; one projection gives, head by head, query, key and value side by side.</summary>
internal sealed class GptNeoXAttention : Module
{
    private readonly Module<Tensor, Tensor> query_key_value;
    private readonly Module<Tensor, Tensor> dense;
    private readonly ModelConfig _config;
    private readonly int _layer;
    private readonly RotaryTable _rotary;

    public GptNeoXAttention(ModelConfig config, int layer, RotaryTable rotary, WeightPlacement placement) : base(
        nameof(GptNeoXAttention))
    {
        (_config, _layer, _rotary) = (config, layer, rotary);
        long width = (long)config.HeadCount * config.HeadDimension;
        query_key_value = placement.Linear(config.HiddenSize, 3 * width, config.QueryKeyValueBias);
        dense = placement.Linear(width, config.HiddenSize, config.AttentionOutputBias);
        RegisterComponents();
    }

    /// <summary>[batch, tokens, hidden] to the same shape.</summary>
    public Tensor Run(Tensor input, KeyValueCache? cache)
    {
        using var scope = NewDisposeScope();
        long position = cache?.Length ?? 0;
        int width = _config.HeadDimension;
        Tensor heads = CausalAttention.SplitHeads(query_key_value.call(input), _config.HeadCount);
        Tensor queries = _rotary.Rotate(heads.narrow(-1, 0, width), position);
        Tensor keys = _rotary.Rotate(heads.narrow(-1, width, width), position);
        Tensor values = heads.narrow(-1, 2 * width, width);
        if (cache is not null)
        {
            (keys, values) = cache.Append(_layer, keys, values);
        }

        return dense.call(CausalAttention.Attend(queries, keys, values, _config.SlidingWindow))
            .MoveToOuterDisposeScope();
    }
}
