using System.Text.RegularExpressions;
using SparseExpansion.Testing;

namespace SparseExpansion.Architecture;

/// <summary>Links of the pages lead somewhere, and pages are written in American English.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] s_folders = ["docs", "samples", "src", "benchmarks"];

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
        @"\b\w*(colour|behaviour|neighbour|favour|(?<!para)analys(e[dr]?|ing)\b|quantis|normalis|standardis|optimis|initialis|factoris|licence|cancelled|centre|labelled|modelling)\w*",
        RegexOptions.IgnoreCase)]
    private static partial Regex BritishWord();
}
