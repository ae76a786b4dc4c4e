using System.Collections.Immutable;

namespace SparseExpansion.Routing;

/// <summary>
/// Immutable registry of the kinds of routers that a checkpoint may hold. <see cref="Default"/> knows <c>linear</c>,
/// <c>single</c> and <c>random</c>; <see cref="With"/> adds further ones.
/// </summary>
public sealed class RouterKinds
{
    private readonly ImmutableSortedDictionary<string, Func<RouterState, IRouter>> _kinds;

    private RouterKinds(ImmutableSortedDictionary<string, Func<RouterState, IRouter>> kinds) => _kinds = kinds;

    /// <summary>The kinds of this library.</summary>
    public static RouterKinds Default { get; } =
        new RouterKinds(ImmutableSortedDictionary.Create<string, Func<RouterState, IRouter>>(StringComparer.Ordinal))
            .With(LinearRouter.Kind, LinearRouter.FromState)
            .With(SingleExpertRouter.Kind, SingleExpertRouter.FromState)
            .With(RandomRouter.Kind, RandomRouter.FromState);

    /// <summary>Names of the known kinds, sorted.</summary>
    public IEnumerable<string> Names => _kinds.Keys;

    /// <summary>A registry that knows one kind more, or another way to restore a known one.</summary>
    /// <param name="kind">The <see cref="RouterState.Kind"/> that the router writes.</param>
    /// <param name="restore">Makes the router; it must copy the tensors of the state, which it does not own.</param>
    public RouterKinds With(string kind, Func<RouterState, IRouter> restore)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(kind);
        ArgumentNullException.ThrowIfNull(restore);
        return new RouterKinds(_kinds.SetItem(kind, restore));
    }

    /// <summary>Makes a router from what a checkpoint kept of it.</summary>
    /// <param name="state">The state; its tensors stay with the caller.</param>
    /// <returns>The router, on the device of the state's tensors; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">The kind is unknown, or the state does not fit the kind.</exception>
    public IRouter Restore(RouterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!_kinds.TryGetValue(state.Kind, out Func<RouterState, IRouter>? restore))
        {
            throw new CheckpointException(
                $"The checkpoint holds a router of kind '{state.Kind}', but only {string.Join(", ", Names)} are known. " +
                $"Register it through {nameof(RouterKinds)}.{nameof(With)}.");
        }

        IRouter router = restore(state);
        if (router.InputFeatures == state.InputFeatures && router.ExpertCount == state.ExpertCount)
        {
            return router;
        }

        using (router)
        {
            throw new CheckpointException(
                $"A router of kind '{state.Kind}' was restored with {router.InputFeatures} inputs and {router.ExpertCount} experts, " +
                $"but its state says {state.InputFeatures} and {state.ExpertCount}.");
        }
    }
}
