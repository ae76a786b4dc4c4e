namespace SparseExpansion.Testing.NativeLifetime;

/// <summary>
/// Collects garbage on a thread of its own until it is disposed, so that what nothing refers to is finalized at once.
/// </summary>
public sealed class GarbagePressure : IDisposable
{
    /// <summary>Young objects are what calls lose; now and then all of them, and their finalizers.</summary>
    private const int FullEvery = 64;

    /// <summary>About a tenth of a millisecond, in which the tests get on.</summary>
    private const int BetweenCollections = 5_000;

    private readonly Thread _thread;
    private volatile bool _stop;

    /// <summary>Starts collecting.</summary>
    public GarbagePressure()
    {
        _thread = new Thread(Collect) { IsBackground = true, Name = nameof(GarbagePressure) };
        _thread.Start();
    }

    /// <summary>Collections so far.</summary>
    public long Count { get; private set; }

    /// <summary>Duration of tests under pressure: SPARSEEXPANSION_STRESS_SECONDS, or a few seconds.</summary>
    public static TimeSpan Duration { get; } = TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable("SPARSEEXPANSION_STRESS_SECONDS"), out int seconds)
            ? seconds
            : 5);

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Collect()
    {
        while (!_stop)
        {
            GC.Collect(++Count % FullEvery == 0 ? 2 : 0);
            Thread.SpinWait(BetweenCollections);
        }
    }
}
