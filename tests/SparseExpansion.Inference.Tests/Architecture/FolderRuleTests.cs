using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Inference.Architecture;

/// <summary>Folders of Inference: their names are the namespaces, and they stand upon each other in the order of folders.txt, at every level.</summary>
public sealed class FolderRuleTests
{
    private static readonly FolderRules s_rules = new(typeof(CacheFormat).Assembly);

    [Fact]
    public void Namespaces_OfInference_AreTheFolders() => Assert.Empty(s_rules.WrongNamespaces());

    [Fact]
    public void Folders_OfInference_UseThoseBelow() => Assert.Empty(s_rules.WrongOrder());
}
