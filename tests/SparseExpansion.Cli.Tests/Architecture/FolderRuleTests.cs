using SparseExpansion.Cli.Hosting;
using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Cli.Architecture;

/// <summary>Folders of the tool: their names are the namespaces, and they stand upon each other in the order of folders.txt, at every level.</summary>
public sealed class FolderRuleTests
{
    private static readonly FolderRules s_rules = new(typeof(ToolHost).Assembly);
    private static readonly string[] s_commands = ["Inspect", "Evaluate", "Generate", "Export", "Expand", "Analyze"];

    [Fact]
    public void Namespaces_OfTheTool_AreTheFolders() => Assert.Empty(s_rules.WrongNamespaces());

    [Fact]
    public void Folders_OfTheTool_UseThoseBelow() => Assert.Empty(s_rules.WrongOrder());

    [Fact]
    public void Commands_OfTheTool_DoNotKnowEachOther() => Assert.Empty(s_rules.UsesAmong(s_commands));
}
