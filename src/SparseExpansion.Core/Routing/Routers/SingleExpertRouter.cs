using System.Collections.Immutable;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

/// <summary>Sends every token to the only expert: plain one-shot pruning as a special case of a mixture.</summary>
public sealed class SingleExpertRouter : ICheckpointRouter
{
    /// <summary>Kind in checkpoints.</summary>
    public const string Kind = "single";

    /// <summary>Creates the router.</summary>
    /// <param name="inputFeatures">Width of a token.</param>
    public SingleExpertRouter(int inputFeatures)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputFeatures, 1);
        InputFeatures = inputFeatures;
    }

    /// <inheritdoc/>
    public int ExpertCount => 1;

    /// <inheritdoc/>
    public int InputFeatures { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The tokens are not a floating matrix of width
    /// <see cref="InputFeatures"/>.</exception>
    public Tensor Route(Tensor tokens)
    {
        RouterGuard.CheckTokens(tokens, InputFeatures);
        return zeros(tokens.shape[0], ScalarType.Int64, tokens.device);
    }

    /// <inheritdoc/>
    public RouterState GetState() => new(Kind, InputFeatures, 1, ImmutableDictionary<string, Tensor>.Empty);

    /// <summary>Does nothing: the router holds no tensors.</summary>
    public void Dispose()
    {
    }

    internal static SingleExpertRouter FromState(RouterState state) => new(state.InputFeatures);
}
