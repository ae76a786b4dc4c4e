using System.Reflection;

namespace SparseExpansion.Testing.Folders;

/// <summary>
/// Rules for the folders of a project: namespaces are theirs, and they stand upon each other as the file
/// <c>Architecture/folders.txt</c> of its tests declares.
/// </summary>
public sealed class FolderRules
{
    private readonly SourceTree _source;
    private readonly SourceTree _tests;
    private readonly FolderOrder _order;
    private readonly IReadOnlyList<FolderUse> _uses;

    /// <summary>Reads a project, its tests and the declared order.</summary>
    /// <param name="assembly">The project's assembly, which has the name of its folder and of its namespace.</param>
    public FolderRules(Assembly assembly)
    {
        string name = assembly.GetName().Name!;
        _source = SourceTree.Read($"src/{name}", name);
        _tests = SourceTree.Read($"tests/{name}.Tests", name);
        _order = new FolderOrder(File.ReadLines(Path.Combine(Repository.Root, "tests", $"{name}.Tests", "Architecture", "folders.txt")));
        _uses = FolderUses.Of(_source, assembly.Location);
    }

    /// <summary>Files of the project and of its tests whose namespace is not their folder.</summary>
    public IEnumerable<string> WrongNamespaces() => _source.WrongNamespaces().Concat(_tests.WrongNamespaces());

    /// <summary>Uses of some top-level folders by others of them.</summary>
    /// <param name="folders">Folders that need not know each other.</param>
    public IEnumerable<string> UsesAmong(IReadOnlyCollection<string> folders) => _uses
        .Where(use => folders.Contains(Top(use.From)) && folders.Contains(Top(use.To)) && Top(use.From) != Top(use.To))
        .Select(use => $"{use.From} uses {use.To}: {use.Example}");

    /// <summary>Folders that are not as declared, uses against the order, and folders declared open without need.</summary>
    public IEnumerable<string> WrongOrder() =>
    [
        .. _order.Differences(_source),
        .. _order.Violations(_uses),
        .. _order.NeedlesslyOpen(_uses).Select(parent => $"{parent} is declared open, but its own files have one place in the order"),
    ];

    private static string Top(string folder) => folder.Split('/')[0];
}
