using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>
/// Times two actions alternately, so that both see the same state of a busy machine, and takes medians.
/// </summary>
/// <param name="seconds">Time for each case.</param>
/// <param name="cpuTime">
/// Linux, one thread: processor time of the calling thread, which excludes the time of other processes.
/// </param>
public sealed partial class InterleavedTimer(double seconds, bool cpuTime)
{
    private const int ThreadCpuTimeClock = 3;

    public TargetRow Measure(TargetCase target)
    {
        (double dense, double sparse) = Medians(target.Dense, target.Sparse);
        return new TargetRow(target.Name, dense, sparse, target.Target);
    }

    /// <summary>Median milliseconds of each.</summary>
    public (double First, double Second) Medians(Action first, Action second)
    {
        // Long enough for tiered compilation to finish.
        long warmUp = Stopwatch.GetTimestamp();
        for (int i = 0; i < 2 || Stopwatch.GetElapsedTime(warmUp).TotalSeconds < seconds / 3; i++)
        {
            first();
            second();
        }

        List<double> firsts = [], others = [];
        long start = Stopwatch.GetTimestamp();
        while (firsts.Count < 5 || (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && firsts.Count < 400))
        {
            firsts.Add(Milliseconds(first));
            others.Add(Milliseconds(second));
        }

        return (Median(firsts), Median(others));
    }

    private double Milliseconds(Action action)
    {
        double start = Now();
        action();
        return Now() - start;
    }

    private double Now()
    {
        if (!cpuTime)
        {
            return Stopwatch.GetTimestamp() * 1e3 / Stopwatch.Frequency;
        }

        _ = ClockGetTime(ThreadCpuTimeClock, out TimeSpec time);
        return time.Seconds * 1e3 + time.Nanoseconds * 1e-6;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
