using System.Runtime.CompilerServices;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// The router of an input group: linears that read the same tensor (gate and up; query, key and value) route it once.
/// The first layer of a forward pass computes the decision, the others find it by the identity of the input object.
/// </summary>
/// <remarks>
/// A decision serves each layer once, so a buffer that is refilled between forward passes is routed anew. Do not change
/// the input in place between the calls of two layers of one group. Safe for concurrent forward passes.
/// </remarks>
public sealed class SharedRouter : IDisposable
{
    private readonly ConditionalWeakTable<Tensor, Pending> _pending = [];
    private readonly Lock _lock = new();
    private readonly List<SparseMixtureLayer> _members = [];

    /// <summary>Wraps a router; it is disposed with this object.</summary>
    public SharedRouter(IRouter router)
    {
        ArgumentNullException.ThrowIfNull(router);
        Router = router;
    }

    /// <summary>The router itself.</summary>
    public IRouter Router { get; }

    /// <summary>The layers that share the router.</summary>
    public IReadOnlyList<SparseMixtureLayer> Members => _members;

    internal void Join(SparseMixtureLayer layer) => _members.Add(layer);

    /// <summary>The decision for an input; to be given back by <see cref="RoutingDecision.Release"/>.</summary>
    /// <param name="layer">The member that asks.</param>
    /// <param name="input">The tensor object that the layer was called with: the key.</param>
    /// <param name="tokens">[tokens, in_features], the same values.</param>
    internal RoutingDecision Decide(SparseMixtureLayer layer, Tensor input, Tensor tokens)
    {
        if (_members.Count < 2)
        {
            return Compute(tokens);
        }

        lock (_lock)
        {
            if (TakeShare(layer, input) is { } known)
            {
                return known;
            }
        }

        RoutingDecision decision = Compute(tokens);
        lock (_lock)
        {
            Drop(input);
            _pending.Add(
                input,
                new Pending(
                    decision.Hold(), [.. _members.Where(member => member != layer)],
                    Environment.CurrentManagedThreadId));
        }

        return decision;
    }

    private RoutingDecision? TakeShare(SparseMixtureLayer layer, Tensor input)
    {
        if (!_pending.TryGetValue(input, out Pending? pending) || pending.Thread != Environment.CurrentManagedThreadId
            || !pending.Waiting.Remove(layer))
        {
            return null;
        }

        RoutingDecision decision = pending.Decision.Hold();
        if (pending.Waiting.Count == 0)
        {
            Drop(input);
        }

        return decision;
    }

    private void Drop(Tensor input)
    {
        if (_pending.TryGetValue(input, out Pending? pending))
        {
            _pending.Remove(input);
            pending.Decision.Release();
        }
    }

    private RoutingDecision Compute(Tensor tokens)
    {
        using var noGrad = no_grad();
        return new RoutingDecision(RouterCalls.Route(Router, tokens), Router.ExpertCount);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach ((_, Pending pending) in _pending)
            {
                pending.Decision.Release();
            }

            _pending.Clear();
        }

        Router.Dispose();
    }

    private sealed record Pending(RoutingDecision Decision, HashSet<SparseMixtureLayer> Waiting, int Thread);
}
