using System.Diagnostics;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>Times two actions in turn, so that both see the same state of a machine that is not quiet, and takes medians.</summary>
public static class InterleavedTimer
{
    public static TargetRow Measure(TargetCase target, double seconds)
    {
        for (int i = 0; i < 2; i++)
        {
            target.Dense();
            target.Sparse();
        }

        var dense = new List<double>();
        var sparse = new List<double>();
        long start = Stopwatch.GetTimestamp();
        while (dense.Count < 5 || (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && dense.Count < 400))
        {
            dense.Add(Milliseconds(target.Dense));
            sparse.Add(Milliseconds(target.Sparse));
        }

        return new TargetRow(target.Name, Median(dense), Median(sparse), target.Target);
    }

    private static double Milliseconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
