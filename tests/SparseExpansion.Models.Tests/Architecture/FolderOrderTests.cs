using System.Text.RegularExpressions;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Architecture;

/// <summary>
/// Folders of the packages below TorchSharp: namespaces are theirs, and they use those before them only.
/// </summary>
public sealed partial class FolderOrderTests
{
    /// <summary>From the bottom up; what lies in the project's own folder is seen from all of them.</summary>
    private static readonly Dictionary<string, string[]> s_order = new()
    {
        ["Execution"] =
        [
            "Memory", "Threading", "Files", "Errors", "Kernels.Tiles", "Kernels.Avx512", "Kernels.Avx2",
            "Kernels.Portable", "Kernels", "Packing", "Tiling",
            "Dispatch", "Safetensors", "Expanded",
        ],
        ["Models"] =
        [
            "Configuration.Keys", "Configuration", "Tokenization.Unicode", "Tokenization.Patterns",
            "Tokenization.Pieces", "Tokenization.AddedTokens", "Tokenization", "Generation",
        ],
    };

    /// <summary>Exceptions of all packages, which stand above their namespaces.</summary>
    private static readonly string[] s_ofAll = ["CheckpointException.cs", "SparseExpansionException.cs"];

    [Theory]
    [InlineData("Execution")]
    [InlineData("Models")]
    public void Namespaces_OfAllFiles_AreThoseOfTheirFolders(string project)
    {
        string[] files = [.. Files(project)];

        Assert.True(files.Length > 50);
        Assert.All(files.Where(file => !s_ofAll.Contains(Path.GetFileName(file))), file =>
            Assert.Equal(
                $"SparseExpansion.{project}.{Folder(project, file)}".TrimEnd('.'),
                NamespaceLine().Match(File.ReadAllText(file)).Groups[1].Value));
    }

    [Theory]
    [InlineData("Execution")]
    [InlineData("Models")]
    public void Usings_OfAllFiles_PointDown(string project)
    {
        string[] order = [.. s_order[project], ""];
        string[] violations = [.. Files(project).SelectMany(file => UsingLine().Matches(File.ReadAllText(file))
            .Where(match => match.Groups[1].Value == project && Array.IndexOf(order, match.Groups[2].Value) >= Array.IndexOf(order, Folder(project, file)))
            .Select(match => $"{file} uses {match.Groups[2].Value}"))];

        Assert.Empty(violations);
        Assert.Equal(
            order.Order(StringComparer.Ordinal),
            Files(project).Select(file => Folder(project, file)).Distinct().Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Files(string project) => Directory
        .EnumerateFiles(Root(project), "*.cs", SearchOption.AllDirectories)
        .Where(file => Folder(project, file).Split('.')[0] is not ("bin" or "obj"));

    private static string Folder(string project, string file) =>
        Path.GetRelativePath(Root(project), Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.')
            .TrimStart('.');

    private static string Root(string project) => Path.Combine(Repository.Root, "src", $"SparseExpansion.{project}");

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^using (?:static )?SparseExpansion\.(\w+)\.?([\w.]*);", RegexOptions.Multiline)]
    private static partial Regex UsingLine();
}
