using System.Diagnostics;
using System.Globalization;
using Microsoft.CodeAnalysis;

namespace SparseExpansion.MutationSampler;

/// <summary>Test classes that reach each member, and their durations.</summary>
internal sealed class CoverageMap
{
    private readonly Dictionary<(string File, int Member), HashSet<string>> _classes = [];
    private readonly Dictionary<string, TimeSpan> _times = [];

    /// <summary>Runs every class of tests once, on a library whose members tell that they ran.</summary>
    /// <exception cref="InvalidOperationException">The marked library does not compile, or a class of tests fails as it is.</exception>
    public static CoverageMap Measure(CoreCompilation core, IReadOnlyList<SyntaxTree> trees, TestProgram tests)
    {
        var marker = new CoverageMarker();
        SyntaxTree[] marked = [.. trees.Select(marker.Mark)];
        byte[] library = core.Emit([.. marked, marker.Collector(core.ParseOptions)], out IReadOnlyList<Diagnostic> errors)
            ?? throw new InvalidOperationException($"The library with marks does not compile: {string.Join("; ", errors.Take(3))}");
        tests.Install(library);
        var map = new CoverageMap();
        string file = Path.GetTempFileName();
        foreach (string name in tests.Classes())
        {
            var watch = Stopwatch.StartNew();
            File.WriteAllText(file, "");
            Outcome outcome = tests.Run([name], TimeSpan.FromMinutes(5), file);
            if (outcome != Outcome.Survived)
            {
                throw new InvalidOperationException($"{name} does not pass without a mutant: {outcome}.");
            }

            map._times[name] = watch.Elapsed;
            foreach (string number in File.ReadAllText(file).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                (string File, int Member) member = marker.Members[int.Parse(number, CultureInfo.InvariantCulture)];
                map._classes.TryAdd(member, []);
                map._classes[member].Add(name);
            }
        }

        File.Delete(file);
        map.AddUnmarked(marker);
        return map;
    }

    /// <summary>The classes that reach a mutant. What lies in no marked member counts as reached by all that reach its file.</summary>
    public IReadOnlyCollection<string> ClassesOf(Mutant mutant) =>
        _classes.GetValueOrDefault((mutant.Tree.FilePath, mutant.Member))
        ?? [.. _classes.Where(entry => entry.Key.File == mutant.Tree.FilePath).SelectMany(entry => entry.Value).Distinct()];

    /// <summary>The time that they may take: much more than they took.</summary>
    public TimeSpan Limit(IEnumerable<string> classes) => TimeSpan.FromSeconds(20) + (3 * TimeSpan.FromSeconds(classes.Sum(name => _times[name].TotalSeconds)));

    private void AddUnmarked(CoverageMarker marker)
    {
        foreach ((string File, int Member) member in marker.Members)
        {
            _classes.TryAdd(member, []);
        }
    }
}
