using System.Collections.Immutable;
using SparseExpansion.Execution.Errors;

namespace SparseExpansion.Routing.Routers;

/// <summary>
/// Immutable registry of the kinds of routers that a checkpoint may hold. <see cref="Default"/> knows <c>linear</c>,
/// <c>single</c> and <c>random</c>; <see cref="With"/> adds further ones.
/// </summary>
public sealed class RouterKinds
{
    private static readonly string[] s_own = [LinearRouter.Kind, SingleExpertRouter.Kind, RandomRouter.Kind];

    private readonly ImmutableSortedDictionary<string, Func<RouterState, IRouter>> _kinds;

    private RouterKinds(ImmutableSortedDictionary<string, Func<RouterState, IRouter>> kinds) => _kinds = kinds;

    /// <summary>The kinds of this library.</summary>
    public static RouterKinds Default { get; } =
        new(ImmutableSortedDictionary.Create<string, Func<RouterState, IRouter>>(StringComparer.Ordinal)
            .Add(LinearRouter.Kind, LinearRouter.FromState)
            .Add(SingleExpertRouter.Kind, SingleExpertRouter.FromState)
            .Add(RandomRouter.Kind, RandomRouter.FromState));

    /// <summary>Names of the known kinds, sorted.</summary>
    public IEnumerable<string> Names => _kinds.Keys;

    /// <summary>A registry that knows one kind more, or another way to restore one that was added before.</summary>
    /// <param name="kind">The <see cref="RouterState.Kind"/> that the router writes; not one of this library.</param>
    /// <param name="restore">Makes the router; it must copy the tensors of the state, which it does not own.</param>
    /// <exception cref="ArgumentException">The kind is empty, or one of this
    /// library's: files of other people hold it.</exception>
    public RouterKinds With(string kind, Func<RouterState, IRouter> restore)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(kind);
        ArgumentNullException.ThrowIfNull(restore);
        return s_own.Contains(kind, StringComparer.Ordinal)
            ? throw new ArgumentException(
                $"The router kind '{kind}' belongs to this library; give your "
                + $"{nameof(RouterState)} a kind of its own.", nameof(kind))
            : new RouterKinds(_kinds.SetItem(kind, restore));
    }

    /// <summary>Makes a router from its stored state.</summary>
    /// <param name="state">The state; its tensors stay with the caller.</param>
    /// <returns>The router, on the device of the state's tensors; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">The kind is unknown, the state does not fit the
    /// kind, or the function that restores it failed.</exception>
    public IRouter Restore(RouterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!_kinds.TryGetValue(state.Kind, out Func<RouterState, IRouter>? restore))
        {
            throw new CheckpointException(
                $"The checkpoint holds a router of kind '{state.Kind}', but only "
                + $"{string.Join(", ", Names)} are known. "
                + $"Register it through {nameof(RouterKinds)}.{nameof(With)}.");
        }

        IRouter router = Restore(state, restore);
        if (router.InputFeatures == state.InputFeatures && router.ExpertCount == state.ExpertCount)
        {
            return router;
        }

        using (router)
        {
            throw new CheckpointException(
                $"A router of kind '{state.Kind}' was restored with {router.InputFeatures} inputs and "
                + $"{router.ExpertCount} experts, "
                + $"but its state says {state.InputFeatures} and {state.ExpertCount}.");
        }
    }

    private static IRouter Restore(RouterState state, Func<RouterState, IRouter> restore)
    {
        try
        {
            return restore(state)
                ?? throw new CheckpointException(
                    $"The function that restores routers of kind '{state.Kind}' returned null.");
        }
        catch (Exception e) when (e is not (CheckpointException or OperationCanceledException))
        {
            throw new CheckpointException(
                $"A router of kind '{state.Kind}' with {state.InputFeatures} inputs and {state.ExpertCount} experts "
                + $"could not be restored: {PlainMessage.Clause(e)}", e);
        }
    }
}
