using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

/// <summary>
/// Routes by one small product: argmax_j (x Wᵀ + b)_j. Every nearest-centroid router folds into this form, so that
/// routing costs in_features × k instead of a projection and a distance search.
/// </summary>
/// <remarks>
/// The buffers <c>weight</c> [k, in_features] and <c>bias</c> [k] stay float32 when the model is converted to another
/// dtype; tokens of another dtype are cast to float32 first. Ties go to the lowest expert.
/// </remarks>
public sealed class LinearRouter : RouterModule, IReducibleRouter
{
    /// <summary>Kind in checkpoints.</summary>
    public const string Kind = "linear";

    private readonly Tensor weight;
    private readonly Tensor bias;

    /// <summary>Wraps copies of a weight and a bias.</summary>
    /// <param name="weight">[k, in_features], any floating dtype.</param>
    /// <param name="bias">[k], any floating dtype, on the same device.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public LinearRouter(Tensor weight, Tensor bias) : base(nameof(LinearRouter))
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(bias);
        if (weight.dim() != 2 || bias.dim() != 1 || weight.shape[0] != bias.shape[0] || weight.numel() == 0)
        {
            throw new ArgumentException(
                $"A linear router needs a weight [k, in_features] and a bias [k], "
                + $"got [{string.Join(", ", weight.shape)}] and [{string.Join(", ", bias.shape)}].", nameof(weight));
        }

        this.weight = CopyForBuffer(weight, ScalarType.Float32);
        this.bias = CopyForBuffer(bias, ScalarType.Float32);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int ExpertCount => checked((int)weight.shape[0]);

    /// <inheritdoc/>
    public override int InputFeatures => checked((int)weight.shape[1]);

    /// <summary>Folds "center, project, take the nearest centroid" into one linear router.</summary>
    /// <remarks>
    /// argmin_j ‖P(x − μ) − c_j‖² = argmax_j (c_jᵀP)x − c_jᵀPμ − ½‖c_j‖². What all experts have in common does not move
    /// the argmax and is subtracted, which keeps scores small and their float32 rounding too. Folded in float64.
    /// </remarks>
    /// <param name="mean">μ, [in_features].</param>
    /// <param name="components">P with orthonormal rows, [components, in_features]; null where nothing is
    /// projected.</param>
    /// <param name="centroids">c, [k, components], or [k, in_features] without a projection.</param>
    /// <returns>A router on the device of the arguments; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    internal static LinearRouter FoldPcaKMeans(Tensor mean, Tensor? components, Tensor centroids)
    {
        CheckFold(mean, components, centroids);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor exact = centroids.to(ScalarType.Float64);
        Tensor weight = components is null ? exact : exact.matmul(components.to(ScalarType.Float64));
        Tensor bias = -weight.mv(mean.to(ScalarType.Float64)) - exact.Squared().sum(1) / Scalars.Of(2);
        return new LinearRouter(weight - weight.mean([0], keepdim: true), bias - bias.mean());
    }

    /// <inheritdoc/>
    public override RouterState GetState() =>
        new(
            Kind, InputFeatures, ExpertCount,
            new Dictionary<string, Tensor> { [nameof(weight)] = weight, [nameof(bias)] = bias });

    /// <inheritdoc/>
    /// <remarks>Of a router folded from centroids, this leaves out the centroid.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">There is no such expert, or no other.</exception>
    public IReducibleRouter Without(int expert)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expert);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(expert, ExpertCount);
        ArgumentOutOfRangeException.ThrowIfEqual(ExpertCount, 1);
        using var scope = NewDisposeScope();
        Tensor kept = tensor(
            [.. Enumerable.Range(0, ExpertCount).Where(other => other != expert).Select(other => (long)other)],
            device: weight.device);
        return new LinearRouter(weight.index_select(0, kept), bias.index_select(0, kept));
    }

    internal static LinearRouter FromState(RouterState state) => new(
        state.Require(nameof(weight), state.ExpertCount, state.InputFeatures),
        state.Require(nameof(bias), state.ExpertCount));

    /// <inheritdoc/>
    protected override Tensor Assign(Tensor tokens) =>
        nn.functional.linear(tokens.to(ScalarType.Float32), weight, bias).argmax(1);

    private static void CheckFold(Tensor mean, Tensor? components, Tensor centroids)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(centroids);
        bool projectionFits = components is null
            || (components.dim() == 2 && mean.dim() == 1 && components.shape[1] == mean.shape[0]);
        if (mean.dim() != 1 || centroids.dim() != 2 || !projectionFits
            || centroids.shape[1] != (components ?? mean).shape[0])
        {
            throw new ArgumentException(
                "Cannot fold a mean, components and centroids of shapes "
                + $"[{string.Join(", ", mean.shape)}], [{string.Join(", ", components?.shape ?? [])}], "
                + $"[{string.Join(", ", centroids.shape)}].", nameof(centroids));
        }
    }
}
