using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.MeanCorrection;

/// <summary>Makes the biases of the linears of one group.</summary>
/// <param name="group">The group, routed; its statistics are those of tokens less their expert's mean.</param>
/// <param name="means">The means; disposed with this object.</param>
internal sealed class GroupCorrection(GroupRun group, ExpertMeans means) : IGroupStep
{
    private readonly Dictionary<LayerRun, Tensor> _biases = [];

    /// <summary>b_e = b + (W − W_e) μ_e, with the weight W that the expert was pruned from.</summary>
    public void OnPruned(LayerRun layer, int first, IReadOnlyList<PruningResult> pruned)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor biases = BiasesOf(layer);
        for (int e = 0; e < pruned.Count; e++)
        {
            using var expertScope = NewDisposeScope();
            Tensor lost = ExpertMaking.WeightOf(group.Steps, layer.Weight, e).to(ScalarType.Float32) - pruned[e].Weight.to(ScalarType.Float32);
            Tensor moved = lost.matmul(means.Values.select(0, first + e));
            Tensor own = biases.select(0, first + e);
            own.copy_(layer.Dense.bias is { } shared ? moved.Plus(shared.to(ScalarType.Float32)) : moved);
        }

        layer.Bias = biases;
    }

    /// <summary>
    /// ‖(X − μ)(W − P)ᵀ‖² / ‖XWᵀ‖² for each expert: what is left of the error once the bias has absorbed its mean.
    /// </summary>
    public double[] MeasureErrors(LayerRun layer, CancellationToken cancellationToken)
    {
        double[] lost = OutputErrorMeter.Measure(layer.Weight, layer.Experts, group.StatisticTokens!, cancellationToken).Lost;
        double[] energy = OutputErrorMeter.Measure(layer.Weight, layer.Experts, group.Tokens, cancellationToken).Energy;
        return new ExpertOutputErrors(lost, energy).PerExpert;
    }

    public void Dispose()
    {
        foreach (Tensor bias in _biases.Values)
        {
            bias.Dispose();
        }

        means.Dispose();
    }

    private Tensor BiasesOf(LayerRun layer)
    {
        if (!_biases.TryGetValue(layer, out Tensor? biases))
        {
            biases = zeros(group.Assignment!.ExpertCount, layer.Weight.shape[0], layer.Weight.dtype, layer.Weight.device).DetachFromDisposeScope();
            _biases.Add(layer, biases);
        }

        return biases;
    }
}
