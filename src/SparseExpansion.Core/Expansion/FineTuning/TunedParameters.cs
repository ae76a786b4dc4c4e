using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>
/// Parameters that Adam moves. Parameters of less than float32 are moved as float32 copies and rounded after every
/// step. All tensors made here live in the dispose scope of the creation.
/// </summary>
internal sealed class TunedParameters
{
    /// <summary>
    /// Gradients of a relative error are small, so the usual 1e-8 would damp the steps of well pruned blocks.
    /// </summary>
    private const double Epsilon = 1e-12;

    private readonly Parameter[] _live;
    private readonly Tensor[] _wide;
    private readonly Tensor[] _best;
    private readonly AdamSteps _adam;

    public TunedParameters(IEnumerable<Parameter> parameters)
    {
        using var noGrad = no_grad();
        _live = [.. parameters];
        _wide = [.. _live.Select(live => IsWide(live) ? live : live.detach().to(ScalarType.Float32))];
        _best = [.. _live.Select(live => live.detach().clone())];
        _adam = new AdamSteps(_wide, new AdamOptions { Epsilon = Epsilon });
    }

    /// <summary>Takes a step.</summary>
    public void Step(Tensor loss, double learningRate)
    {
        using var scope = NewDisposeScope();

        // Nothing is added to the loss, so that vectors which the block never uses have a gradient, of zero.
        Tensor whole = _live.Where(live => live.Dimensions == 1).Aggregate(
            loss, (sum, live) => sum.Plus(live.sum() * Scalars.Of(0)));
        IList<Tensor> gradients = autograd.grad([whole], [.. _live]);
        _adam.Apply([.. gradients.Zip(_wide, (gradient, wide) => gradient.to(wide.dtype))], learningRate);
        using var noGrad = no_grad();
        for (int i = 0; i < _live.Length; i++)
        {
            if (!ReferenceEquals(_live[i], _wide[i]))
            {
                _live[i].copy_(_wide[i]);
            }
        }
    }

    /// <summary>Remembers the state.</summary>
    public void Keep() => Copy(_live, _best);

    /// <summary>Goes back to the state that was remembered, at first that of the creation.</summary>
    public void Restore() => Copy(_best, _live);

    private static bool IsWide(Tensor tensor) => tensor.dtype is ScalarType.Float32 or ScalarType.Float64;

    private static void Copy(Tensor[] from, Tensor[] to)
    {
        using var noGrad = no_grad();
        for (int i = 0; i < from.Length; i++)
        {
            to[i].copy_(from[i]);
        }
    }
}
