using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// Decisions of one router that layers of its group have yet to ask for, by the input that they are about. Not safe for
/// concurrent calls: the caller holds a lock.
/// </summary>
internal sealed class PendingDecisions
{
    private readonly ConditionalWeakTable<Tensor, Pending> _pending = [];

    /// <summary>Keeps a decision for other layers that this thread will call with the same input.</summary>
    /// <param name="input">The input; a former decision about it is given up.</param>
    /// <param name="decision">The decision; stays with the caller too.</param>
    /// <param name="waiting">The layers.</param>
    public void Add(Tensor input, RoutingDecision decision, IEnumerable<SparseMixtureLayer> waiting)
    {
        Drop(input);
        var pending = new Pending(decision, [.. waiting], Environment.CurrentManagedThreadId);
        if (pending.Waiting.Count > 0)
        {
            decision.Hold();
            _pending.Add(input, pending);
        }
    }

    /// <summary>
    /// The decision about an input, once for each layer that waits for it; the caller releases it. Null: there is none.
    /// </summary>
    public RoutingDecision? Take(SparseMixtureLayer layer, Tensor input)
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

    /// <summary>Waits for a layer no more; what no other layer waits for is given up.</summary>
    public void Forget(SparseMixtureLayer layer)
    {
        foreach ((Tensor input, Pending pending) in _pending.ToArray())
        {
            pending.Waiting.Remove(layer);
            if (pending.Waiting.Count == 0)
            {
                Drop(input);
            }
        }
    }

    private void Drop(Tensor input)
    {
        if (_pending.TryGetValue(input, out Pending? pending))
        {
            _pending.Remove(input);
            pending.Decision.Release();
        }
    }

    private sealed record Pending(RoutingDecision Decision, HashSet<SparseMixtureLayer> Waiting, int Thread);
}
