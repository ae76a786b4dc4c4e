using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// The router of an input group: linears that read the same tensor (gate and up; query, key and value) route it once.
/// The first layer of a forward pass computes the decision, the others find it by the identity of the input object.
/// </summary>
/// <remarks>
/// A decision serves each layer once, so a buffer that is refilled between forward passes is routed anew. Do not change
/// the input in place between the calls of two layers of one group. Safe for concurrent forward passes. Owns the
/// router, which lives as long as any of the layers: the last one that is disposed frees it.
/// </remarks>
public sealed class SharedRouter : IDisposable
{
    private readonly PendingDecisions _pending = new();
    private readonly Lock _lock = new();
    private volatile SparseMixtureLayer[] _members = [];
    private volatile bool _isFreed;

    /// <summary>Wraps a router, which from now on belongs to this object.</summary>
    public SharedRouter(IRouter router)
    {
        ArgumentNullException.ThrowIfNull(router);
        Router = router;
    }

    /// <summary>The router itself.</summary>
    public IRouter Router { get; }

    /// <summary>The layers that share the router, as of now, without those that were disposed.</summary>
    public IReadOnlyList<SparseMixtureLayer> Members => _members;

    /// <summary>True after the last layer has left; no other can be built then.</summary>
    internal bool IsFreed => _isFreed;

    /// <summary>Counts a layer in, which must leave when it is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The router is freed.</exception>
    internal void Join(SparseMixtureLayer layer)
    {
        lock (_lock)
        {
            MixtureGuard.RequireRouter(layer.Name, this);
            _members = [.. _members, layer];
        }
    }

    /// <summary>Counts a layer out; with the last one the router is freed. Does nothing if it has left.</summary>
    internal void Leave(SparseMixtureLayer layer)
    {
        lock (_lock)
        {
            if (!_members.Contains(layer))
            {
                return;
            }

            _members = [.. _members.Where(member => member != layer)];
            _pending.Forget(layer);
        }

        Dispose();
    }

    /// <summary>The decision for an input; to be given back by <see cref="RoutingDecision.Release"/>.</summary>
    /// <param name="layer">The member that asks.</param>
    /// <param name="input">The tensor object that the layer was called with: the key.</param>
    /// <param name="tokens">[tokens, in_features], the same values.</param>
    internal RoutingDecision Decide(SparseMixtureLayer layer, Tensor input, Tensor tokens)
    {
        if (_members.Length < 2)
        {
            return Compute(tokens);
        }

        lock (_lock)
        {
            if (_pending.Take(layer, input) is { } known)
            {
                return known;
            }
        }

        RoutingDecision decision = Compute(tokens);
        lock (_lock)
        {
            _pending.Add(input, decision, _members.Where(member => member != layer));
        }

        return decision;
    }

    private RoutingDecision Compute(Tensor tokens)
    {
        using var noGrad = no_grad();
        return new RoutingDecision(RouterCalls.Route(Router, tokens), Router.ExpertCount);
    }

    /// <summary>
    /// Frees the router if no layer uses it; otherwise the last of its layers will. Only a router that no layer was
    /// built on needs this call.
    /// </summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isFreed || _members.Length > 0)
            {
                return;
            }

            _isFreed = true;
        }

        Router.Dispose();
    }
}
