using System.Diagnostics.CodeAnalysis;

namespace SparseExpansion.Execution;

/// <summary>
/// A few threads that wait for short bursts of work. A matrix–vector product takes a few hundred microseconds, so handing it out must
/// cost a few microseconds: workers spin briefly before they sleep, and items are claimed by one atomic increment. One burst runs at
/// a time; whoever finds the pool busy does its work alone, so there are never more threads than asked for, and no nesting.
/// </summary>
internal static class WorkerPool
{
    private static readonly Lock GrowLock = new();
    private static Worker[] _workers = [];
    private static int _busy;

    /// <summary>Does all items with up to <paramref name="degree"/> threads including the calling one; returns when they are done.</summary>
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

        try
        {
            Worker[] workers = Grow(helpers);
            Burst burst = Burst.Shared;
            burst.Start(work, items);
            for (int i = 0; i < helpers; i++)
            {
                workers[i].Offer(burst);
            }

            burst.Participate(0);
            for (int i = 0; i < helpers; i++)
            {
                workers[i].WithdrawOrWait();
            }

            burst.Clear();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    private static Worker[] Grow(int count)
    {
        if (_workers.Length < count)
        {
            lock (GrowLock)
            {
                int have = _workers.Length;
                var grown = new Worker[Math.Max(count, have)];
                _workers.CopyTo(grown, 0);
                for (int i = have; i < count; i++)
                {
                    grown[i] = new Worker(i + 1);
                }

                _workers = grown;
            }
        }

        return _workers;
    }

    /// <summary>The work in progress.</summary>
    private sealed class Burst
    {
        public static readonly Burst Shared = new();
        private IParallelWork? _work;
        private int _items;
        private int _next;

        public void Start(IParallelWork work, int items)
        {
            _work = work;
            _items = items;
            _next = 0;
        }

        public void Participate(int worker)
        {
            IParallelWork work = _work!;
            for (int item; (item = Interlocked.Increment(ref _next) - 1) < _items;)
            {
                work.Run(item, worker);
            }
        }

        public void Clear() => _work = null;
    }

    [SuppressMessage("Design", "CA1001", Justification = "Workers live as long as the process.")]
    private sealed class Worker
    {
        private const int Idle = 0, Offered = 1, Running = 2;
        private const int SpinsBeforeSleep = 2000;
        private readonly AutoResetEvent _wake = new(false);
        private readonly int _number;
        private Burst? _burst;
        private int _state;
        private int _sleeping;

        public Worker(int number)
        {
            _number = number;
            var thread = new Thread(Loop) { IsBackground = true, Name = $"SparseExpansion worker {number}" };
            thread.Start();
        }

        public void Offer(Burst burst)
        {
            _burst = burst;
            Interlocked.Exchange(ref _state, Offered);
            if (Volatile.Read(ref _sleeping) != 0)
            {
                _wake.Set();
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
                    _burst!.Participate(_number);
                    Volatile.Write(ref _state, Idle);
                }
            }
        }

        private void WaitForOffer()
        {
            for (int i = 0; i < SpinsBeforeSleep; i++)
            {
                if (Volatile.Read(ref _state) == Offered)
                {
                    return;
                }

                Thread.SpinWait(1);
            }

            // Announce the sleep before the last look: an offer that comes in between sees the flag and sets the event.
            Interlocked.Exchange(ref _sleeping, 1);
            while (Volatile.Read(ref _state) != Offered)
            {
                _wake.WaitOne();
            }

            Volatile.Write(ref _sleeping, 0);
        }
    }
}
