namespace SparseExpansion.Execution;

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
