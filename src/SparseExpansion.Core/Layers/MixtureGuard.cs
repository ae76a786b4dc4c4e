using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>The checks of <see cref="SparseMixtureLayer"/>; messages name the layer.</summary>
internal static class MixtureGuard
{
    public static IReadOnlyList<Tensor> CheckWeights(
        string name, SharedRouter router, IReadOnlyList<Tensor> weights, Tensor? bias)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(weights);
        RequireRouter(name, router);
        if (weights.Count != router.Router.ExpertCount)
        {
            throw new ArgumentException(
                $"Layer '{name}': the router has {router.Router.ExpertCount} experts, "
                + $"but {weights.Count} weights were given.", nameof(weights));
        }

        foreach (Tensor weight in weights)
        {
            if (weight.dim() != 2 || !weight.shape.SequenceEqual(weights[0].shape) || weight.dtype != weights[0].dtype)
            {
                throw new ArgumentException(
                    $"Layer '{name}': experts must share one shape [out_features, in_features] and dtype; "
                    + $"got {TensorText.Of(weight)} beside {TensorText.Of(weights[0])}.", nameof(weights));
            }
        }

        CheckParts(name, router, weights[0].shape[0], weights[0].shape[1], bias);
        return weights;
    }

    public static void CheckParts(string name, SharedRouter router, long outFeatures, long inFeatures, Tensor? bias)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(router);
        RequireRouter(name, router);
        if (router.Router.InputFeatures != inFeatures)
        {
            throw new ArgumentException(
                $"Layer '{name}': the router reads {router.Router.InputFeatures} features, the experts {inFeatures}.",
                nameof(router));
        }

        if (bias is not null && !bias.shape.SequenceEqual([outFeatures]) && !bias.shape.SequenceEqual([router.Router.ExpertCount, outFeatures]))
        {
            throw new ArgumentException(
                $"Layer '{name}': the bias must be [{outFeatures}], or [{router.Router.ExpertCount}, {outFeatures}] "
                + $"for a bias of each expert, got {TensorText.Of(bias)}.", nameof(bias));
        }
    }

    /// <exception cref="ObjectDisposedException">The router is freed.</exception>
    public static void RequireRouter(string name, SharedRouter router)
    {
        if (router.IsFreed)
        {
            throw new ObjectDisposedException(
                nameof(SharedRouter),
                $"Layer '{name}': the router was freed with the last layer of its group; build all layers of a group before disposing them.");
        }
    }

    public static void CheckInput(SparseMixtureLayer layer, Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() == 0 || input.shape[^1] != layer.InFeatures)
        {
            throw new ArgumentException(
                $"Layer '{layer.Name}' takes [.., {layer.InFeatures}], got {TensorText.Of(input)}.", nameof(input));
        }

        if (!layer.Experts.Accepts(input.dtype))
        {
            throw new ArgumentException(
                $"Layer '{layer.Name}' holds {layer.Experts.DType} experts, its input is {input.dtype}; "
                + "convert one of them.", nameof(input));
        }

        if (!Placement.Same(input.device, layer.Experts.Device))
        {
            throw new ArgumentException(
                $"Layer '{layer.Name}' lies on {layer.Experts.Device}, its input on {input.device}; move one of them.",
                nameof(input));
        }
    }

    /// <exception cref="InvalidOperationException">The experts cannot be packed.</exception>
    public static ExpertWeights Packable(SparseMixtureLayer layer) => PackedExperts.Supports(layer.Experts)
        ? layer.Experts
        : throw new InvalidOperationException(
            $"Layer '{layer.Name}' is {layer.Experts.DType} on {layer.Experts.Device}; only float32 and bfloat16 experts "
            + "on the CPU can be packed.");

    /// <exception cref="InvalidOperationException">The experts were rounded to a grid.</exception>
    public static void RequireTrainable(SparseMixtureLayer layer)
    {
        if (layer.Experts.GridOf(0) is not null)
        {
            throw new InvalidOperationException(
                $"The experts of layer '{layer.Name}' are quantized and cannot be trained: "
                + "their weights would leave the grid. Train first, without quantization.");
        }
    }
}
