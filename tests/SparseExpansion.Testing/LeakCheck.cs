using TorchSharp;
using TorchSharp.Modules;

namespace SparseExpansion.Testing;

/// <summary>Fails when an action leaves tensors behind that it should have disposed.</summary>
public static class LeakCheck
{
    /// <summary>
    /// Runs the action twice: once to warm caches, once under count. Live tensors must be as many after as before.
    /// </summary>
    /// <param name="action">The action.</param>
    /// <param name="parametersDisposed">
    /// Parameters that one run of the action makes and disposes. TorchSharp's counter does not come down for the tensor
    /// that a disposed parameter was made of, although its memory is freed; the check makes allowance for exactly
    /// these.
    /// </param>
    public static void NoTensorsLeft(Action action, int parametersDisposed = 0) =>
        NoTensorsLeft(action, () => parametersDisposed);

    /// <summary>The same, for actions that find out themselves how many parameters they dispose.</summary>
    public static void NoTensorsLeft(Action action, Func<int> parametersDisposed)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentNullException.ThrowIfNull(parametersDisposed);
        action();
        FinalizeGarbage(); // What earlier code has lost must not be counted down meanwhile.
        long before = torch.Tensor.TotalCount;
        action();
        long left = torch.Tensor.TotalCount - before - parametersDisposed() * CountedPerDisposedParameter();
        if (left != 0)
        {
            throw new InvalidOperationException($"{left} tensors were left alive.");
        }
    }

    private static void FinalizeGarbage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static long CountedPerDisposedParameter()
    {
        long before = torch.Tensor.TotalCount;
        using (var data = torch.zeros(1))
        using (new Parameter(data))
        {
        }

        return torch.Tensor.TotalCount - before;
    }
}
