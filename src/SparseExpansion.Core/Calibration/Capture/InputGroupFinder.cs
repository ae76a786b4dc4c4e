using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Capture;

/// <summary>Finds input groups by watching which targets are called with the same tensor object.</summary>
internal static class InputGroupFinder
{
    /// <summary>Runs batches until every target has been called, and groups the targets by their inputs.</summary>
    /// <returns>The groups in the order of execution.</returns>
    /// <exception cref="CalibrationException">A target is never called.</exception>
    public static IReadOnlyList<InputGroup> Find(
        RunnablePart part, IReadOnlyList<CalibrationTarget> targets, IEnumerable<CalibrationBatch> batches,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<InputGroup> found = FindReached(part, targets, batches, cancellationToken);
        CalibrationTarget[] missing = [.. targets.Except(found.SelectMany(group => group.Layers))];
        return missing.Length == 0
            ? found
            : throw new CalibrationException(
                $"No calibration token reached {string.Join(", ", missing.Select(target => $"'{target.Name}'"))}. "
                + "A layer is seen only when its parent invokes it by call(x), not forward(x), "
                + "and when the batches take that path; otherwise leave it out of the targets.");
    }

    /// <summary>The groups of those targets that are called.</summary>
    /// <inheritdoc cref="Find"/>
    public static IReadOnlyList<InputGroup> FindReached(
        RunnablePart part, IReadOnlyList<CalibrationTarget> targets, IEnumerable<CalibrationBatch> batches,
        CancellationToken cancellationToken)
    {
        var found = new List<InputGroup>();
        var waiting = new HashSet<CalibrationTarget>(targets);
        foreach (CalibrationBatch batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            IReadOnlyList<InputGroup> groups = Watch(part, [.. targets.Where(waiting.Contains)], batch);
            found.AddRange(groups);
            waiting.ExceptWith(groups.SelectMany(group => group.Layers));
            if (waiting.Count == 0)
            {
                break;
            }
        }

        return found;
    }

    private static InputGroup[] Watch(
        RunnablePart part, IReadOnlyList<CalibrationTarget> targets, CalibrationBatch batch)
    {
        var calls = new List<(CalibrationTarget Target, Tensor Input)>();
        Action[] remove = [.. targets.Select(target => (Action)target.Module.register_forward_pre_hook((_, seen) =>
        {
            calls.Add((target, seen));
            return seen;
        }).remove)];
        try
        {
            part.Run(batch, keepOutput: false);
        }
        finally
        {
            Array.ForEach(remove, action => action());
        }

        return [.. calls
            .GroupBy(call => call.Target, call => call.Input)
            .GroupBy(target => target.ToArray(), target => target.Key, SameObjects.Instance)
            .Select(group => new InputGroup([.. group], group.Key.Length))];
    }

    private sealed class SameObjects : IEqualityComparer<Tensor[]>
    {
        public static readonly SameObjects Instance = new();

        public bool Equals(Tensor[]? left, Tensor[]? right) =>
            left!.Length == right!.Length && left.Zip(right).All(pair => ReferenceEquals(pair.First, pair.Second));

        public int GetHashCode(Tensor[] inputs) =>
            System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(inputs[0]);
    }
}
