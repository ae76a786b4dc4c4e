using SparseExpansion.Layers.Surgery;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;

namespace SparseExpansion.Expansion;

/// <summary>An input group whose tokens have found their experts. Owns the router until it is taken.</summary>
internal sealed class RoutedGroup(IReadOnlyList<ModuleSlot> slots, IRouter router, ExpertPruner pruner, ExpertTokens tokens) : IDisposable
{
    private IRouter? _router = router;

    /// <summary>The places of the group's linears.</summary>
    public IReadOnlyList<ModuleSlot> Slots => slots;

    /// <summary>Makes the experts.</summary>
    public ExpertPruner Pruner => pruner;

    /// <summary>All calibration tokens by expert.</summary>
    public ExpertTokens Tokens => tokens;

    /// <summary>The same tokens, each with what the dense model hands the group in its place, [n, 2 · features]; null where nothing is to be compensated for.</summary>
    public required ExpertTokens? Pairs { get; init; }

    /// <summary>Experts that had too few tokens.</summary>
    public required int DissolvedExperts { get; init; }

    /// <summary>Strength of the shrinkage.</summary>
    public required double PriorTokens { get; init; }

    /// <summary>What refinement did to the router; null where it was not asked for.</summary>
    public required RouterRefinement? Refinement { get; init; }

    /// <summary>The router; the caller disposes it.</summary>
    public IRouter TakeRouter()
    {
        IRouter taken = _router!;
        _router = null;
        return taken;
    }

    public void Dispose() => _router?.Dispose();
}
