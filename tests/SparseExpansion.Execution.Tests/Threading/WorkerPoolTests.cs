using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Threading;

public sealed class WorkerPoolTests
{
    [Fact]
    public void Run_ManyBursts_DoesEveryItemOnceUnderExclusiveNumbers()
    {
        var work = new CountingWork(37, 4);
        for (int burst = 1; burst <= 300; burst++)
        {
            WorkerPool.Run(work, 37, 4);
            Assert.All(work.Done, done => Assert.Equal(burst, done));
            if (burst % 100 == 0)
            {
                Thread.Sleep(5);
            }
        }

        Assert.False(work.Collided);
    }

    [Fact]
    public void Run_AnItemFails_ThrowsAndWorksAgain()
    {
        for (int failing = 0; failing < 20; failing++)
        {
            var error = Assert.Throws<InvalidDataException>(() => WorkerPool.Run(new FailingWork(failing), 20, 4));
            Assert.Equal($"{failing}", error.Message);
            var work = new CountingWork(20, 4);
            WorkerPool.Run(work, 20, 4);
            Assert.All(work.Done, done => Assert.Equal(1, done));
        }
    }

    /// <summary>A worker lives as long as the process; what its first caller's values refer to must not.</summary>
    [Fact]
    public void PoolWorker_StartedUnderAnAsyncLocalValue_DoesNotKeepIt()
    {
        WeakReference value = StartWorkerUnderAValue();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(value.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference StartWorkerUnderAValue()
    {
        var value = new object();
        var local = new AsyncLocal<object?> { Value = value };
        _ = new PoolWorker(0);
        local.Value = null;
        return new WeakReference(value);
    }

    /// <summary>Each of two items ends only when the other has begun, so two threads must have them at once.</summary>
    [Fact]
    public void Run_TwoItemsOnTwoThreads_RunsThemAtOnce()
    {
        using var work = new MeetingWork();
        WorkerPool.Run(work, 2, 2);
        Assert.Equal([true, true], work.Met);
        Assert.Equal([0, 1], work.Workers.Order());
    }

    private sealed class MeetingWork : IParallelWork, IDisposable
    {
        private readonly ManualResetEventSlim[] _begun = [new(), new()];

        public bool[] Met { get; } = new bool[2];

        public int[] Workers { get; } = new int[2];

        public void Run(int item, int worker)
        {
            Workers[item] = worker;
            _begun[item].Set();
            Met[item] = _begun[1 - item].Wait(TimeSpan.FromMinutes(1));
        }

        public void Dispose() => Array.ForEach(_begun, begun => begun.Dispose());
    }

    private sealed class FailingWork(int failing) : IParallelWork
    {
        public void Run(int item, int worker)
        {
            Thread.SpinWait(200);
            if (item == failing)
            {
                throw new InvalidDataException($"{item}");
            }
        }
    }

    private sealed class CountingWork(int items, int workers) : IParallelWork
    {
        private readonly int[] _inside = new int[workers];

        public int[] Done { get; } = new int[items];

        public bool Collided { get; private set; }

        public void Run(int item, int worker)
        {
            Collided |= Interlocked.Increment(ref _inside[worker]) != 1;
            Interlocked.Increment(ref Done[item]);
            Interlocked.Decrement(ref _inside[worker]);
        }
    }
}
