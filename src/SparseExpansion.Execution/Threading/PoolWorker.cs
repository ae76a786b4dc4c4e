namespace SparseExpansion.Execution.Threading;

/// <summary>A thread that waits for offers of work: spinning at first, then asleep.</summary>
internal sealed class PoolWorker
{
    private const int Idle = 0, Offered = 1, Running = 2;

    // Waking a sleeping thread takes 50 to 100 µs, a quarter of a sparse matrix–vector product. Layers of a model
    // follow each other within milliseconds, and GNU OpenMP waits about as long;
    // unlike it, this wait yields to whoever else can run.
    private const double MillisecondsBeforeSleep = 5;
    private const int SpinsBetweenYields = 64;
    private readonly object _wake = new();
    private int _state;
    private int _sleeping;

    /// <summary>Starts the thread.</summary>
    public PoolWorker(int number)
    {
        var thread = new Thread(Loop) { IsBackground = true, Name = $"SparseExpansion worker {number}" };
        thread.UnsafeStart(); // The worker outlives its first caller, whose async-local values it must not keep.
    }

    /// <summary>Asks for help with the shared burst.</summary>
    public void Offer()
    {
        Interlocked.Exchange(ref _state, Offered);
        if (Volatile.Read(ref _sleeping) != 0)
        {
            lock (_wake)
            {
                Monitor.Pulse(_wake);
            }
        }
    }

    /// <summary>Takes the offer back where the worker has not started; else waits for the item it is at.</summary>
    public void WithdrawOrWait()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Offered) == Offered)
        {
            return;
        }

        var spin = new SpinWait();
        while (Volatile.Read(ref _state) != Idle)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    private void Loop()
    {
        for (; ; )
        {
            WaitForOffer();
            if (Interlocked.CompareExchange(ref _state, Running, Offered) == Offered)
            {
                ParallelBurst.Shared.Join();
                Volatile.Write(ref _state, Idle);
            }
        }
    }

    private void WaitForOffer()
    {
        long start = TimeProvider.System.GetTimestamp();
        do
        {
            for (int i = 0; i < SpinsBetweenYields; i++)
            {
                if (Volatile.Read(ref _state) == Offered)
                {
                    return;
                }

                Thread.SpinWait(1);
            }

            Thread.Yield();
        }
        while (TimeProvider.System.GetElapsedTime(start).TotalMilliseconds < MillisecondsBeforeSleep);

        // Announce the sleep before the last look: an offer that comes in between
        // sees the flag and waits for the lock to pulse.
        lock (_wake)
        {
            Interlocked.Exchange(ref _sleeping, 1);
            while (Volatile.Read(ref _state) != Offered)
            {
                Monitor.Wait(_wake);
            }
        }

        Volatile.Write(ref _sleeping, 0);
    }
}
