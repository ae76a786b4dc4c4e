using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Models.Architecture;

/// <summary>Folders of Models: their names are the namespaces, and they stand upon each other in the order of folders.txt, at every level.</summary>
public sealed class FolderRuleTests
{
    private static readonly FolderRules s_rules = new(typeof(ModelConfig).Assembly);

    [Fact]
    public void Namespaces_OfModels_AreTheFolders() => Assert.Empty(s_rules.WrongNamespaces());

    [Fact]
    public void Folders_OfModels_UseThoseBelow() => Assert.Empty(s_rules.WrongOrder());
}
