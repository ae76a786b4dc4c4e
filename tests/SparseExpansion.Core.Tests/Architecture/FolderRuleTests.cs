using SparseExpansion.Execution;
using SparseExpansion.Testing;
using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Architecture;

/// <summary>Folders of Core: their names are the namespaces, and they stand upon each other in the order of folders.txt, at every level.</summary>
public sealed class FolderRuleTests
{
    /// <summary>Folders whose files still share the namespace of their parent: they are being taken apart.</summary>
    private static readonly string[] s_unsorted =
        ["Expansion/Allocation", "Expansion/Blocks", "Expansion/Compensation", "Expansion/CustomParts", "Expansion/Experts", "Expansion/FineTuning", "Expansion/Memory", "Expansion/Refinement", "Expansion/Storage", "Expansion/Telemetry"];

    /// <summary>What a folder may not use although it stands below.</summary>
    private static readonly Dictionary<string, string[]> s_forbidden = new()
    {
        ["Quantization"] = ["Calibration", "Routing"],
        ["Pruning"] = ["Routing"],
        ["Execution"] = ["Calibration", "Routing", "Pruning"],
    };

    private static readonly SourceTree s_core = SourceTree.Read("src/SparseExpansion.Core", "SparseExpansion");
    private static readonly IReadOnlyList<FolderUse> s_uses = FolderUses.Of(s_core, typeof(PackedWeight).Assembly.Location);
    private static readonly FolderOrder s_order =
        new(File.ReadLines(Path.Combine(Repository.Root, "tests/SparseExpansion.Core.Tests/Architecture/folders.txt")));

    [Fact]
    public void Namespaces_OfCore_AreTheFolders() => AssertNone(s_core.WrongNamespaces(s_unsorted));

    [Fact]
    public void Namespaces_OfItsTests_AreTheFolders() =>
        AssertNone(SourceTree.Read("tests/SparseExpansion.Core.Tests", "SparseExpansion").WrongNamespaces(s_unsorted));

    [Fact]
    public void Folders_OfCore_AreThoseDeclared() => AssertNone(s_order.Differences(s_core));

    [Fact]
    public void Folders_OfCore_UseThoseBelow() => AssertNone(s_order.Violations(s_uses));

    [Fact]
    public void Folders_DeclaredUnordered_AreThatStill() => AssertNone(s_order.NeedlesslyUnordered(s_uses));

    [Fact]
    public void Folders_OfCore_LeaveAloneWhatTheyNeedNotKnow() => AssertNone(s_uses
        .Where(use => s_forbidden.GetValueOrDefault(use.From.Split('/')[0], []).Contains(use.To.Split('/')[0]))
        .Select(use => $"{use.From} uses {use.To}: {use.Example}"));

    private static void AssertNone(IEnumerable<string> faults) => Assert.True(!faults.Any(), string.Join('\n', faults));
}
