using System.Runtime.ExceptionServices;

namespace SparseExpansion.Execution.Threading;

/// <summary>The work that <see cref="WorkerPool"/> is doing; there is one at a time.</summary>
internal sealed class ParallelBurst
{
    private IParallelWork? _work;
    private int _items;
    private int _next;
    private int _joined;
    private Exception? _error;

    private ParallelBurst() { }

    /// <summary>The only instance.</summary>
    public static ParallelBurst Shared { get; } = new();

    /// <summary>Sets the work.</summary>
    public void Start(IParallelWork work, int items)
    {
        _work = work;
        _items = items;
        _next = 0;
        Volatile.Write(ref _joined, 0);
    }

    /// <summary>
    /// Does items until none is left or one has failed, under a worker number that no other thread has.
    /// </summary>
    public void Join()
    {
        int worker = Interlocked.Increment(ref _joined) - 1;
        IParallelWork work = _work!;
        try
        {
            for (int item; Volatile.Read(ref _error) is null && (item = Interlocked.Increment(ref _next) - 1) < _items;)
            {
                work.Run(item, worker);
            }
        }
        catch (Exception e)
        {
            // For the thread that wants the work done: an exception would end the process in any other.
            Interlocked.CompareExchange(ref _error, e, null);
        }
    }

    /// <summary>Lets go of the work; returns what went wrong, if something did.</summary>
    public ExceptionDispatchInfo? End()
    {
        _work = null;
        return Interlocked.Exchange(ref _error, null) is { } error ? ExceptionDispatchInfo.Capture(error) : null;
    }
}
