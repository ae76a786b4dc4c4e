using Mono.Cecil;

namespace SparseExpansion.Testing.Folders;

/// <summary>
/// Uses of folders by other folders of a project, from the types that compiled types name and the usings of files.
/// </summary>
public static class FolderUses
{
    /// <summary>All uses from one folder of the project to another.</summary>
    /// <param name="tree">The project's files.</param>
    /// <param name="assembly">Path of the assembly that was built from them.</param>
    public static IReadOnlyList<FolderUse> Of(SourceTree tree, string assembly) =>
        [.. OfTypes(tree, assembly).Concat(OfUsings(tree)).Where(use => use.From != use.To)];

    private static List<FolderUse> OfTypes(SourceTree tree, string assembly)
    {
        using AssemblyDefinition definition = AssemblyDefinition.ReadAssembly(assembly);
        return [.. definition.MainModule.Types.SelectMany(type => FolderOf(tree, type) is not { } from
            ? []
            : TypeUses.Of(type).Select(used => (Used: used, To: FolderOf(tree, used)))
                .Where(entry => entry.To is not null)
                .Select(entry => new FolderUse(from, entry.To!, $"{type.Name} uses {entry.Used.Name}")))];
    }

    private static IEnumerable<FolderUse> OfUsings(SourceTree tree) => tree.Files.SelectMany(file => file.Usings
        .Where(used => tree.FolderOf(used) is not null)
        .Select(used => new FolderUse(file.Folder, tree.FolderOf(used)!, $"{file.Type} has using {used}")));

    private static string? FolderOf(SourceTree tree, TypeDefinition type) =>
        tree.FolderOf(type.Namespace, type.Name.Split('`')[0]);
}
