using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Transformers.Decoder.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.FeedForward;

/// <summary>down(act(gate x) · up x), or down(act(up x)) without a gate.</summary>
internal sealed class DenseFeedForward : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor>? _gate;
    private readonly Module<Tensor, Tensor>? _up;
    private readonly Module<Tensor, Tensor>? _fused;
    private readonly Module<Tensor, Tensor> _down;
    private readonly ActivationKind _activation;

    /// <param name="config">The architecture.</param>
    /// <param name="width">Width between the projections.</param>
    /// <param name="names">Names of the linears.</param>
    /// <param name="placement">Device and type of the weights.</param>
    /// <param name="owner">Module that lists the linears as its own; null: this one does.</param>
    public DenseFeedForward(
        ModelConfig config, int width, FeedForwardNames names, WeightPlacement placement, Module? owner = null)
        : base(nameof(DenseFeedForward))
    {
        _activation = config.Activation;
        owner ??= this;
        bool bias = config.FeedForwardBias;
        if (names.FusedGateUp is not null)
        {
            _fused = owner.Add(names.FusedGateUp, placement.Linear(config.HiddenSize, 2L * width, bias));
        }
        else
        {
            _gate = config.HasGate ? owner.Add(names.Gate!, placement.Linear(config.HiddenSize, width, bias)) : null;
            _up = owner.Add(names.Up, placement.Linear(config.HiddenSize, width, bias));
        }

        _down = owner.Add(names.Down, placement.Linear(width, config.HiddenSize, bias));
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _down.call(Inner(input)).MoveToOuterDisposeScope();
    }

    /// <summary>Does nothing: children have the names of the checkpoint, not those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }

    private Tensor Inner(Tensor input)
    {
        if (_fused is not null)
        {
            Tensor[] halves = _fused.call(input).chunk(2, -1);
            return Activations.Apply(_activation, halves[0]) * halves[1];
        }

        return _gate is null
            ? Activations.Apply(_activation, _up!.call(input))
            : Activations.Apply(_activation, _gate.call(input)) * _up!.call(input);
    }
}
