using System.Text.RegularExpressions;
using SparseExpansion.Testing;

namespace SparseExpansion.Architecture;

/// <summary>Every C# snippet of the documentation is a region of a compiled sample.</summary>
public sealed partial class ReadmeTests
{
    public static TheoryData<string> Documents => [.. Directory
        .EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md")
        .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "README.md", SearchOption.AllDirectories))
        .Append(Path.Combine(Repository.Root, "README.md"))
        .Select(path => Path.GetRelativePath(Repository.Root, path))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Snippets_AreRegionsOfSamples(string document)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, document));

        Assert.Equal(CodeBlock().Count(text), Snippet().Count(text));
        foreach (Match snippet in Snippet().Matches(text))
        {
            Assert.Equal(Region(snippet.Groups["file"].Value, snippet.Groups["region"].Value), snippet.Groups["code"].Value);
        }
    }

    private static string Region(string file, string name)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, file));
        string[] region = [.. lines
            .SkipWhile(line => line.Trim() != $"#region {name}").Skip(1)
            .TakeWhile(line => line.Trim() != "#endregion")];
        Assert.NotEmpty(region);
        int indent = region.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Concat(region.Select(line => (line.Length > indent ? line[indent..] : "") + "\n"));
    }

    [GeneratedRegex("^```csharp$", RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("^<!-- snippet: (?<file>[^#]+)#(?<region>[^ ]+) -->\n```csharp\n(?<code>.*?)```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
