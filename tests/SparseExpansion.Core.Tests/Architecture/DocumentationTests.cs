using System.Text.RegularExpressions;
using SparseExpansion.Testing;

namespace SparseExpansion.Architecture;

/// <summary>Links of the pages lead somewhere, and pages and code are written in American English.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] s_folders = ["docs", "samples", "src", "benchmarks"];

    /// <summary>Code whose words are checked; the training data is a text of its own.</summary>
    private static readonly string[] s_code =
        ["src", "benchmarks", "samples/QuickStart", "samples/LanguageModel", "samples/OwnModel",
        "samples/CustomPruner", "samples/Entanglement", "samples/TrainModel", "tests/SparseExpansion.Cli.Tests"];

    public static TheoryData<string> Pages => [.. Directory.EnumerateFiles(Repository.Root, "*.md")
        .Concat(s_folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories)))
        .Select(path => Path.GetRelativePath(Repository.Root, path))
        .Where(path => !path.Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj"]).Any())
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_LeadToFilesAndHeadings(string page)
    {
        string path = Path.Combine(Repository.Root, page);
        foreach (Match link in Link().Matches(Prose(path)))
        {
            string file = link.Groups["file"].Value, heading = link.Groups["heading"].Value;
            string target = file.Length == 0 ? path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, file));
            Assert.True(Path.Exists(target), $"{page} links to {file}, which does not exist.");
            Assert.True(heading.Length == 0 || Headings(target).Contains(heading), $"{page} links to {file}#{heading}; there is no such heading.");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Words_AreAmerican(string page) =>
        Assert.Empty(BritishWord().Matches(Prose(Path.Combine(Repository.Root, page))).Select(match => match.Value));

    [Fact]
    public void Words_OfCode_AreAmerican() =>
        Assert.Empty(Lines().Where(line => BritishWord().IsMatch(line.Text)).Select(line => $"{line.File}: {line.Text}"));

    [Fact]
    public void Summaries_OfCode_BeginWithANounOrAVerb() =>
        Assert.Empty(Lines().Where(line => Question().IsMatch(line.Text)).Select(line => $"{line.File}: {line.Text}"));

    private static IEnumerable<(string File, string Text)> Lines() => s_code
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Contains("obj"))
        .SelectMany(file => File.ReadLines(file).Select(text => (Path.GetRelativePath(Repository.Root, file), text.Trim())));

    private static HashSet<string> Headings(string path) => [.. Heading().Matches(Prose(path))
        .Select(match => NoPartOfAnAnchor().Replace(match.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'))];

    private static string Prose(string path) => Fence().Replace(File.ReadAllText(path), "");

    [GeneratedRegex(@"\]\((?!https?:)(?<file>[^)#\s]*)(#(?<heading>[^)\s]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoPartOfAnAnchor();

    [GeneratedRegex("^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(
        @"\b\w*(colour|behaviour|neighbour|favour|(?<!para)analys(e[dr]?|ing)\b|quantis|normalis|"
        + @"standardis|optimis|initialis|factoris|licence|minimis|"
        + @"maximis|summaris|serialis|cancelled|centre|labelled|modelling|honour)\w*",
        RegexOptions.IgnoreCase)]
    private static partial Regex BritishWord();

    [GeneratedRegex(@"<summary>(What|How|Which|Whether|Where|When|Who)\b")]
    private static partial Regex Question();
}
