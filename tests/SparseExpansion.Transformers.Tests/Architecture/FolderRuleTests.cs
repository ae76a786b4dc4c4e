using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Transformers.Architecture;

/// <summary>Folders of the project: their names are the namespaces, and they stand upon each other in the order of folders.txt, at every level.</summary>
public sealed class FolderRuleTests
{
    private static readonly FolderRules s_rules = new(typeof(CausalLanguageModel).Assembly);

    [Fact]
    public void Namespaces_AreTheFolders() => Assert.Empty(s_rules.WrongNamespaces());

    [Fact]
    public void Folders_UseThoseBelow() => Assert.Empty(s_rules.WrongOrder());
}
