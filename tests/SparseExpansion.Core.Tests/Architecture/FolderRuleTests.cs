using SparseExpansion.Expansion;
using SparseExpansion.Layers;
using SparseExpansion.Testing;
using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Architecture;

/// <summary>Folders of Core: their names are the namespaces, and they stand upon each other in the order of folders.txt, at every level.</summary>
public sealed class FolderRuleTests
{
    /// <summary>Folders of the steps of an expansion.</summary>
    private static readonly string[] s_steps = ["SmallExperts", "Refinement", "Allocation", "Compensation", "FineTuning", "MeanCorrection"];

    /// <summary>What a folder may not use although it stands below.</summary>
    private static readonly Dictionary<string, string[]> s_forbidden = new()
    {
        ["Quantization"] = ["Calibration", "Routing"],
        ["Pruning"] = ["Routing"],
        ["Execution"] = ["Calibration", "Routing", "Pruning"],
    };

    private static readonly SourceTree s_core = SourceTree.Read("src/SparseExpansion.Core", "SparseExpansion");
    private static readonly IReadOnlyList<FolderUse> s_uses = FolderUses.Of(s_core, typeof(SparseMixtureLayer).Assembly.Location);
    private static readonly FolderOrder s_order =
        new(File.ReadLines(Path.Combine(Repository.Root, "tests/SparseExpansion.Core.Tests/Architecture/folders.txt")));

    [Fact]
    public void Namespaces_OfCore_AreTheFolders() => AssertNone(s_core.WrongNamespaces());

    [Fact]
    public void Namespaces_OfItsTests_AreTheFolders() =>
        AssertNone(SourceTree.Read("tests/SparseExpansion.Core.Tests", "SparseExpansion").WrongNamespaces());

    [Fact]
    public void Folders_OfCore_AreThoseDeclared() => AssertNone(s_order.Differences(s_core));

    [Fact]
    public void Folders_OfCore_UseThoseBelow() => AssertNone(s_order.Violations(s_uses));

    [Fact]
    public void Folders_DeclaredOpen_AreThatStill() => AssertNone(s_order.NeedlesslyOpen(s_uses));

    [Fact]
    public void Steps_OfAnExpansion_DoNotKnowEachOther() => AssertNone(s_uses
        .Where(use => StepOf(use.From) is { } from && StepOf(use.To) is { } to && from != to)
        .Select(use => $"{use.From} uses {use.To}: {use.Example}"));

    [Fact]
    public void Steps_OfAnExpansion_AreKnownToTheRecipeAlone() => AssertNone(s_uses
        .Where(use => StepOf(use.From) is null && StepOf(use.To) is not null && !use.Example.StartsWith(nameof(ExpansionRecipe), StringComparison.Ordinal))
        .Select(use => $"{use.From} uses {use.To}: {use.Example}"));

    [Fact]
    public void Folders_OfCore_LeaveAloneWhatTheyNeedNotKnow() => AssertNone(s_uses
        .Where(use => s_forbidden.GetValueOrDefault(use.From.Split('/')[0], []).Contains(use.To.Split('/')[0]))
        .Select(use => $"{use.From} uses {use.To}: {use.Example}"));

    private static string? StepOf(string folder) => folder.Split('/') is ["Expansion", var name, ..] && s_steps.Contains(name) ? name : null;

    private static void AssertNone(IEnumerable<string> faults) => Assert.True(!faults.Any(), string.Join('\n', faults));
}
