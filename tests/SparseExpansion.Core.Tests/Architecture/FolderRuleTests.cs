using System.Text.RegularExpressions;
using SparseExpansion.Testing;

namespace SparseExpansion.Architecture;

/// <summary>A folder of Core uses those above it in docs/architecture.md, never those below.</summary>
public sealed partial class FolderRuleTests
{
    private static readonly string[] s_order =
        ["Tensors", "Internal", "Calibration", "Routing", "Quantization", "Pruning", "Execution", "Layers", "Analysis", "Serialization", "Expansion"];

    private static readonly Dictionary<string, string[]> s_forbidden = new()
    {
        ["Quantization"] = ["Calibration", "Routing"],
        ["Pruning"] = ["Routing"],
        ["Execution"] = ["Calibration", "Routing", "Pruning"],
    };

    [Fact]
    public void Usings_OfCore_PointOneWay()
    {
        string core = Path.Combine(Repository.Root, "src", "SparseExpansion.Core");
        string[] violations = [.. Directory.EnumerateFiles(core, "*.cs", SearchOption.AllDirectories)
            .Select(file => (File: file, Folder: Path.GetRelativePath(core, file).Split(Path.DirectorySeparatorChar)[0]))
            .Where(entry => s_order.Contains(entry.Folder))
            .SelectMany(entry => UsedFolders(entry.File)
                .Where(used => !IsAllowed(entry.Folder, used))
                .Select(used => $"{Path.GetRelativePath(core, entry.File)} uses {used}"))];

        Assert.Empty(violations);
    }

    [Fact]
    public void Folders_OfCore_AreThoseOfTheRule()
    {
        string core = Path.Combine(Repository.Root, "src", "SparseExpansion.Core");
        IEnumerable<string?> folders = Directory.GetDirectories(core)
            .Where(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Any())
            .Select(Path.GetFileName)
            .Except(["bin", "obj"]);

        Assert.Empty(folders.Except(s_order));
    }

    private static bool IsAllowed(string folder, string used) =>
        Array.IndexOf(s_order, used) <= Array.IndexOf(s_order, folder) && !s_forbidden.GetValueOrDefault(folder, []).Contains(used);

    private static IEnumerable<string> UsedFolders(string file) =>
        UsingLine().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value).Where(s_order.Contains);

    // Files and errors are the bottom of the package Execution, not part of what multiplies.
    [GeneratedRegex(@"^using (?:static )?SparseExpansion\.(?!Execution\.(?:Errors|Files)\b)(\w+)", RegexOptions.Multiline)]
    private static partial Regex UsingLine();
}
