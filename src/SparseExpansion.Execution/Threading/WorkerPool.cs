using System.Runtime.ExceptionServices;

namespace SparseExpansion.Execution.Threading;

/// <summary>
/// A few threads for short bursts of work. A matrix–vector product takes a few hundred microseconds, so handing it
/// out must cost a few microseconds; items are claimed by one atomic increment, and a worker that does not get a
/// processor in time is not waited for. One burst runs at a time; a caller that finds the pool busy does its work
/// alone, so there are never more threads than asked for, and no nesting.
/// </summary>
internal static class WorkerPool
{
    private static PoolWorker[] _workers = [];
    private static int _busy;

    /// <summary>
    /// Does all items with up to <paramref name="degree"/> threads including
    /// the calling one; returns when they are done.
    /// </summary>
    public static void Run(IParallelWork work, int items, int degree)
    {
        int helpers = Math.Min(degree, items) - 1;
        if (helpers <= 0 || Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            for (int item = 0; item < items; item++)
            {
                work.Run(item, 0);
            }

            return;
        }

        ExceptionDispatchInfo? error;
        try
        {
            Grow(helpers);
            ParallelBurst.Shared.Start(work, items);
            for (int i = 0; i < helpers; i++)
            {
                _workers[i].Offer();
            }

            ParallelBurst.Shared.Join();
            for (int i = 0; i < helpers; i++)
            {
                _workers[i].WithdrawOrWait();
            }
        }
        finally
        {
            error = ParallelBurst.Shared.End();
            Volatile.Write(ref _busy, 0);
        }

        error?.Throw();
    }

    // Only the holder of the busy flag comes here.
    private static void Grow(int count)
    {
        int have = _workers.Length;
        if (have >= count)
        {
            return;
        }

        // Published when complete: a thread that cannot be started must not leave a gap.
        PoolWorker[] workers =
            [.. _workers, .. Enumerable.Range(have + 1, count - have).Select(number => new PoolWorker(number))];
        _workers = workers;
    }
}
