using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

/// <summary>
/// Control for experiments: experts of random tokens. The expert follows from the token's own values, so that the same
/// token meets the same expert in every call: ⌊k ·
/// frac(<see cref="Stretch"/> · ⟨x, r⟩ / ‖x‖)⌋ with a random direction r.
/// </summary>
/// <remarks>
/// The stretch makes the fraction of tokens that differ a little as good as uniform. The product runs in float64: in
/// float32 its rounding, stretched too, would depend on the size of the batch and move tokens between experts. A zero
/// token goes to expert 0.
/// </remarks>
public sealed class RandomRouter : RouterModule
{
    /// <summary>Kind in checkpoints.</summary>
    public const string Kind = "random";

    /// <summary>Number of times that the experts repeat along one unit of the projection.</summary>
    internal const double Stretch = 4096;

    private readonly Tensor projection;

    /// <summary>Draws a direction.</summary>
    /// <param name="inputFeatures">Width of a token.</param>
    /// <param name="expertCount">Number of experts k.</param>
    /// <param name="seed">Seed of the direction.</param>
    public RandomRouter(int inputFeatures, int expertCount, long seed) : base(nameof(RandomRouter))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputFeatures, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(expertCount, 1);
        ExpertCount = expertCount;
        using var generator = new Generator(unchecked((ulong)seed));
        projection = randn(inputFeatures, ScalarType.Float32, generator: generator).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>Takes a copy of a direction.</summary>
    /// <param name="projection">r, [in_features], any floating dtype.</param>
    /// <param name="expertCount">Number of experts k.</param>
    /// <exception cref="ArgumentException">The direction is not a vector.</exception>
    public RandomRouter(Tensor projection, int expertCount) : base(nameof(RandomRouter))
    {
        ArgumentNullException.ThrowIfNull(projection);
        ArgumentOutOfRangeException.ThrowIfLessThan(expertCount, 1);
        if (projection.dim() != 1 || projection.numel() == 0)
        {
            throw new ArgumentException(
                $"The projection must be [in_features], got [{string.Join(", ", projection.shape)}].",
                nameof(projection));
        }

        ExpertCount = expertCount;
        this.projection = CopyForBuffer(projection, ScalarType.Float32);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int ExpertCount { get; }

    /// <inheritdoc/>
    public override int InputFeatures => checked((int)projection.shape[0]);

    /// <inheritdoc/>
    public override RouterState GetState() =>
        new(Kind, InputFeatures, ExpertCount, new Dictionary<string, Tensor> { [nameof(projection)] = projection });

    internal static RandomRouter FromState(RouterState state) =>
        new(state.Require(nameof(projection), state.InputFeatures), state.ExpertCount);

    /// <inheritdoc/>
    protected override Tensor Assign(Tensor tokens)
    {
        Tensor exact = tokens.to(ScalarType.Float64);
        Tensor norms = exact.Squared().sum(1).sqrt().clamp_min(Scalars.Of(double.Epsilon));
        Tensor turns = exact.mv(projection.to(ScalarType.Float64)) / norms * Scalars.Of(Stretch);

        // The fraction of a tiny negative number rounds to 1.
        return ((turns - turns.floor()) * Scalars.Of(ExpertCount)).to(ScalarType.Int64)
            .clamp_max(Scalars.Of(ExpertCount - 1));
    }
}
