using TorchSharp;

namespace SparseExpansion.Testing;

/// <summary>Fails when an action leaves tensors behind that it should have disposed.</summary>
public static class LeakCheck
{
    /// <summary>Runs the action twice: once to warm caches, once under count. Live tensors must be as many after as before.</summary>
    public static void NoTensorsLeft(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        action();
        long before = torch.Tensor.TotalCount;
        action();
        long after = torch.Tensor.TotalCount;
        if (after != before)
        {
            throw new InvalidOperationException($"{after - before} tensors were left alive.");
        }
    }
}
