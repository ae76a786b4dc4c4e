using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Execution.Architecture;

/// <summary>Folders of Execution: their names are the namespaces, and they stand upon each other in the order of folders.txt, at every level.</summary>
public sealed class FolderRuleTests
{
    private static readonly FolderRules s_rules = new(typeof(PackedWeight).Assembly);

    /// <summary>The exceptions of all packages stand above the namespaces of each.</summary>
    private static readonly string[] s_ofAllPackages =
        ["Errors/CheckpointException.cs: SparseExpansion", "Errors/SparseExpansionException.cs: SparseExpansion"];

    [Fact]
    public void Namespaces_OfExecution_AreTheFolders() => Assert.Equal(s_ofAllPackages, s_rules.WrongNamespaces());

    [Fact]
    public void Folders_OfExecution_UseThoseBelow() => Assert.Empty(s_rules.WrongOrder());
}
