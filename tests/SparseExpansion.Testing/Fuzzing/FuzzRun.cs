using System.Diagnostics;
using System.Globalization;

namespace SparseExpansion.Testing.Fuzzing;

/// <summary>
/// Feeds changed files to a reader. The same cases come every time; the environment variable
/// <c>SPARSE_EXPANSION_FUZZ_SECONDS</c> makes
/// a run as long as it says, and <c>SPARSE_EXPANSION_FUZZ_FIRST</c> starts it with another case. A reader may load a
/// file or refuse it by
/// an exception of the library. It may neither fail in another way, nor take long, nor ask for memory that the file
/// does not account for.
/// </summary>
public static class FuzzRun
{
    private const long SlackBytes = 64L << 20;

    /// <summary>Arenas and stacks of threads that happen to start meanwhile count as well here.</summary>
    private const long SlackAddressSpace = 512L << 20;

    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(30);

    /// <summary>Runs the cases.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="seeds">Good files.</param>
    /// <param name="mutate">Changes one of them.</param>
    /// <param name="attempt">Hands a changed file to the reader; lets its exceptions pass.</param>
    /// <param name="cases">Number of cases of the short run.</param>
    /// <returns>Numbers of files tried and accepted.</returns>
    public static (int Tried, int Accepted) Cases(
        string name, IReadOnlyList<byte[]> seeds, Func<byte[], Random, byte[]> mutate, Action<byte[]> attempt,
        int cases)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        ArgumentNullException.ThrowIfNull(mutate);
        ArgumentNullException.ThrowIfNull(attempt);
        foreach (byte[] seed in seeds)
        {
            attempt(seed); // Warms everything up, and shows that seeds are good.
        }

        int first = ReadNumber("SPARSE_EXPANSION_FUZZ_FIRST") ?? 0;
        TimeSpan? duration = ReadNumber("SPARSE_EXPANSION_FUZZ_SECONDS") is { } seconds
            ? TimeSpan.FromSeconds(seconds)
            : null;
        var state = new State(name);
        var worker = new Thread(() => state.Work(seeds, mutate, attempt, first, cases, duration)) { IsBackground = true, Name = name };
        worker.Start();
        while (!worker.Join(TimeSpan.FromMilliseconds(200)))
        {
            if (state.Elapsed > Slow)
            {
                throw new InvalidOperationException($"{name}, case {state.Case}: takes longer than {Slow.TotalSeconds} s; {Keep(name, state.Case, state.Input)}");
            }
        }

        if (duration is not null)
        {
            Console.WriteLine($"{name}: {state.Tried} files tried, {state.Accepted} accepted.");
        }

        return state.Failure is null
            ? (state.Tried, state.Accepted)
            : throw new InvalidOperationException(state.Failure);
    }

    private static int? ReadNumber(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : null;

    private static string Keep(string name, int number, byte[] input)
    {
        string path = Path.Combine(Path.GetTempPath(), $"fuzz-{name}-{number}");
        File.WriteAllBytes(path, input);
        return $"the input is kept in {path}";
    }

    /// <summary>It is the process's, so it says something only where nothing else runs: in long runs.</summary>
    private static long PeakAddressSpace(bool wanted)
    {
        if (!wanted || !OperatingSystem.IsLinux())
        {
            return 0;
        }

        string line = File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith("VmPeak:", StringComparison.Ordinal));
        return 1024 * long.Parse(
            line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }

    private sealed class State(string name)
    {
        private long _started = Stopwatch.GetTimestamp();

        public TimeSpan Elapsed => Stopwatch.GetElapsedTime(Volatile.Read(ref _started));

        public int Case { get; private set; }

        public byte[] Input { get; private set; } = [];

        public int Tried { get; private set; }

        public int Accepted { get; private set; }

        public string? Failure { get; private set; }

        public void Work(
            IReadOnlyList<byte[]> seeds, Func<byte[], Random, byte[]> mutate, Action<byte[]> attempt, int first,
            int cases, TimeSpan? duration)
        {
            var clock = Stopwatch.StartNew();
            for (Case = first; Failure is null && (duration is null ? Tried < cases : clock.Elapsed < duration); Case++)
            {
                var random = new Random(Case);
                Input = mutate(seeds[random.Next(seeds.Count)], random);
                Volatile.Write(ref _started, Stopwatch.GetTimestamp());
                Failure = Try(attempt, duration is not null) is { } failure
                    ? $"{name}, case {Case}: {failure}; {Keep(name, Case, Input)}"
                    : null;
                Tried++;
            }
        }

        private string? Try(Action<byte[]> attempt, bool alone)
        {
            long peak = PeakAddressSpace(alone);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                attempt(Input);
                Accepted++;
            }
            catch (SparseExpansionException)
            {
            }
            catch (Exception error)
            {
                return error.ToString();
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            peak = PeakAddressSpace(alone) - peak;
            return allocated > SlackBytes + (200L * Input.Length) ? $"{allocated} bytes were allocated for a file of {Input.Length}"
                : peak > SlackAddressSpace + Input.Length ? $"the address space grew by {peak} bytes for a file of {Input.Length}"
                : null;
        }
    }
}
