using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis;

/// <summary>Checks that the entry points share; messages name the layer.</summary>
internal static class AnalysisGuard
{
    /// <summary>Refuses an empty choice, neurons that the layer lacks and repetitions.</summary>
    public static int[] CheckNeurons(string layer, int count, IReadOnlyList<int> neurons)
    {
        ArgumentNullException.ThrowIfNull(neurons);
        if (neurons.Count == 0 || neurons.Any(neuron => neuron < 0 || neuron >= count)
            || neurons.Distinct().Count() != neurons.Count)
        {
            throw new ArgumentException(
                $"Layer '{layer}' has the neurons 0 … {count - 1}; choose at least one of them, each once.",
                nameof(neurons));
        }

        return [.. neurons];
    }

    public static void CheckExperts(DenseLinear dense, IReadOnlyList<Tensor> expertWeights, RouterAssignment assignment)
    {
        ArgumentNullException.ThrowIfNull(expertWeights);
        ArgumentNullException.ThrowIfNull(assignment);
        if (expertWeights.Count != assignment.ExpertCount)
        {
            throw new ArgumentException(
                $"Layer '{dense.Name}': the assignment has {assignment.ExpertCount} experts, "
                + $"but {expertWeights.Count} weights were given.", nameof(expertWeights));
        }

        foreach (Tensor weight in expertWeights)
        {
            if (!weight.shape.SequenceEqual(dense.Weight.shape) || !Placement.Same(weight.device, dense.Weight.device))
            {
                throw new ArgumentException(
                    $"Layer '{dense.Name}': experts must be [{string.Join(", ", dense.Weight.shape)}] "
                    + $"on {dense.Weight.device}, "
                    + $"got [{string.Join(", ", weight.shape)}] on {weight.device}.", nameof(expertWeights));
            }
        }
    }

    public static void CheckMixture(DenseLinear dense, SparseMixtureLayer mixture)
    {
        ArgumentNullException.ThrowIfNull(mixture);
        using Tensor weight = mixture.GetExpertWeight(0);
        if (!weight.shape.SequenceEqual(dense.Weight.shape) || !Placement.Same(weight.device, dense.Weight.device))
        {
            throw new ArgumentException(
                $"Layer '{dense.Name}' is [{string.Join(", ", dense.Weight.shape)}] on {dense.Weight.device}, "
                + $"its mixture '{mixture.Name}' "
                + $"[{string.Join(", ", weight.shape)}] on {weight.device}.", nameof(mixture));
        }
    }
}
