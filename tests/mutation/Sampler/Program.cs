using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.CodeAnalysis;
using SparseExpansion.MutationSampler;

// ROOT PROJECT ARGUMENTS TESTS REPORT COUNT SEED FOLDER: see ../run.sh. Where there is a report, its mutants are taken, and those tested again that had survived.
if (args.Length != 8)
{
    Console.Error.WriteLine("Use run.sh.");
    return 2;
}

string root = Path.Combine(args[0], "src", $"SparseExpansion.{args[1]}"), folder = args[7];
string report = args[4];
int count = int.Parse(args[5], CultureInfo.InvariantCulture), seed = int.Parse(args[6], CultureInfo.InvariantCulture);

CoreCompilation core = CoreCompilation.Load(ReadArguments(args[2]), root);
SyntaxTree[] trees = [.. core.Trees.Where(tree => tree.FilePath.StartsWith(Path.Combine(root, folder), StringComparison.Ordinal))];
var tests = new TestProgram(args[3], args[1], args[1] == "Core" ? folder.Split('/')[0] : args[1]);
CoverageMap map = CoverageMap.Measure(core, trees, tests);
Mutant[] mutants = [.. trees.SelectMany(MutantCollector.Collect)], reached = [.. mutants.Where(mutant => map.ClassesOf(mutant).Count > 0)];
Dictionary<string, Outcome> former = (File.Exists(report) ? File.ReadAllLines(report) : []).Select(ReportLine.Parse).ToDictionary(line => line.Mutant, line => line.Outcome);
var random = new Random(seed);
Mutant[] sample = former.Count > 0
    ? [.. reached.Where(mutant => former.ContainsKey(mutant.Identity(root)))]
    : [.. mutants.OrderBy(_ => random.Next()).Intersect(reached).Take(count)];
Console.WriteLine($"{trees.Length} files, {mutants.Length} mutants, {mutants.Length - reached.Length} in members that no test reaches on this processor; {sample.Length} of the others are tested");
foreach (IGrouping<string, Mutant> file in mutants.Except(reached).GroupBy(mutant => mutant.Tree.FilePath))
{
    Console.WriteLine($"not reached: {Path.GetRelativePath(root, file.Key)}, {file.Count()}");
}

using (var lines = new StreamWriter(report + ".new") { AutoFlush = true })
{
    foreach (Mutant mutant in sample)
    {
        var watch = Stopwatch.StartNew();
        string identity = mutant.Identity(root);
        Outcome outcome = former.GetValueOrDefault(identity, Outcome.Survived);
        lines.WriteLine(new ReportLine(outcome == Outcome.Survived ? Test(mutant) : outcome, identity, watch.Elapsed));
    }
}

File.Move(report + ".new", report, overwrite: true);
Summary.Write(report, Console.Out);
return 0;

Outcome Test(Mutant mutant)
{
    if (core.Emit([mutant.Apply()], out _) is not { } library)
    {
        return Outcome.Invalid;
    }

    tests.Install(library);
    IReadOnlyCollection<string> classes = map.ClassesOf(mutant);
    return tests.Run(classes, map.Limit(classes));
}

static IEnumerable<string> ReadArguments(string file)
{
    using var json = JsonDocument.Parse(File.ReadAllText(file));
    return [.. json.RootElement.GetProperty("Items").GetProperty("CscCommandLineArgs").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!)];
}
