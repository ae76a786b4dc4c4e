using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Modules;
using SparseExpansion.Transformers.Decoder.Norms;
using SparseExpansion.Transformers.Decoder.Passes;
using SparseExpansion.Transformers.Decoder.Positions;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Attention;

/// <summary>Causal attention of a block, with the parts that the configuration names.</summary>
internal sealed class SelfAttention : Module
{
    private readonly Module<Tensor, Tensor>? _query;
    private readonly Module<Tensor, Tensor>? _key;
    private readonly Module<Tensor, Tensor>? _value;
    private readonly Module<Tensor, Tensor>? _fused;
    private readonly Module<Tensor, Tensor> _output;
    private readonly Module<Tensor, Tensor>? _queryNorm;
    private readonly Module<Tensor, Tensor>? _keyNorm;
    private readonly ModelConfig _config;
    private readonly AttentionNames _names;
    private readonly int _layer;
    private readonly RotaryTable? _rotary;

    /// <param name="config">The architecture.</param>
    /// <param name="layer">Number of the block.</param>
    /// <param name="rotary">Rotary positions of the block; null: there are none.</param>
    /// <param name="names">Names of the modules.</param>
    /// <param name="placement">Device and type of the weights.</param>
    public SelfAttention(ModelConfig config, int layer, RotaryTable? rotary, AttentionNames names, WeightPlacement placement)
        : base(nameof(SelfAttention))
    {
        (_config, _names, _layer, _rotary) = (config, names, layer, rotary);
        long queries = (long)config.HeadCount * config.HeadDimension;
        long keys = (long)config.KeyValueHeadCount * config.HeadDimension;
        bool bias = config.QueryKeyValueBias;
        if (names.Fused is not null)
        {
            _fused = this.Add(names.Fused, placement.Linear(config.HiddenSize, queries + (2 * keys), bias));
        }
        else
        {
            _query = this.Add(names.Query, placement.Linear(config.HiddenSize, queries, bias));
            _key = this.Add(names.Key, placement.Linear(config.HiddenSize, keys, bias));
            _value = this.Add(names.Value, placement.Linear(config.HiddenSize, keys, bias));
        }

        _output = this.Add(names.Output, placement.Linear(queries, config.HiddenSize, config.AttentionOutputBias));
        if (config.QueryKeyNorm != QueryKeyNorm.None)
        {
            _queryNorm = this.Add(names.QueryNorm, MakeNorm(config.HeadCount, placement));
            _keyNorm = this.Add(names.KeyNorm, MakeNorm(config.KeyValueHeadCount, placement));
        }
    }

    private LayerOptions Layer => _config.Layers[_layer];

    /// <summary>[batch, tokens, hidden] to the same shape.</summary>
    public Tensor Run(Tensor input, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        (Tensor queries, Tensor keys, Tensor values) = Project(input);
        if (_rotary is not null)
        {
            RotaryAngles angles = pass.Angles(_rotary);
            (queries, keys) = (angles.Rotate(queries), angles.Rotate(keys));
        }

        queries = Scale(queries);
        long first = 0;
        if (pass.Cache is not null)
        {
            (keys, values, first) = pass.Cache.Append(_layer, keys, values);
        }

        AttentionMask mask = pass.Mask(Layer.Window, first);
        return _output.call(ScoredAttention.Attend(queries, keys, values, mask, _config.AttentionSoftCap))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Does nothing: children have the names of the checkpoint, not those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }

    private (Tensor Queries, Tensor Keys, Tensor Values) Project(Tensor input)
    {
        if (_fused is not null)
        {
            (Tensor queries, Tensor keys, Tensor values) = FusedRows.Split(_fused.call(input), _config, _names.FusedLayout);
            return (NormHeads(_queryNorm, queries), NormHeads(_keyNorm, keys), values);
        }

        return (
            Heads(_query!.call(input), _queryNorm, _config.HeadCount),
            Heads(_key!.call(input), _keyNorm, _config.KeyValueHeadCount),
            ScoredAttention.SplitHeads(_value!.call(input), _config.KeyValueHeadCount));
    }

    private Tensor Heads(Tensor projected, Module<Tensor, Tensor>? norm, int heads) =>
        _config.QueryKeyNorm == QueryKeyNorm.AllHeads
            ? ScoredAttention.SplitHeads(norm!.call(projected), heads)
            : NormHeads(norm, ScoredAttention.SplitHeads(projected, heads));

    private static Tensor NormHeads(Module<Tensor, Tensor>? norm, Tensor heads) =>
        norm is null ? heads : norm.call(heads);

    /// <summary>Products with keys are divided by the root of the head's size; other factors act on queries.</summary>
    private Tensor Scale(Tensor queries)
    {
        double factor = Layer.AttentionFactor * (_config.AttentionScale is { } scale ? scale * Math.Sqrt(_config.HeadDimension) : 1);
        return factor == 1 ? queries : queries * Scalars.Of(factor);
    }

    private Module<Tensor, Tensor> MakeNorm(int heads, WeightPlacement placement)
    {
        int width = _config.HeadDimension;
        return _config.QueryKeyNorm switch
        {
            QueryKeyNorm.PerHead => Norm.Create(_config, width, _config.NormBias, placement),
            QueryKeyNorm.AllHeads => Norm.Create(_config, (long)heads * width, _config.NormBias, placement),
            _ => new EachHeadNorm(Enumerable.Range(0, heads).Select(_ => Norm.Create(_config, width, bias: false, placement))),
        };
    }
}
