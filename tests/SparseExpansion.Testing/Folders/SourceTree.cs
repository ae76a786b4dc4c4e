namespace SparseExpansion.Testing.Folders;

/// <summary>The C# files of a project and the namespaces that their folders stand for.</summary>
public sealed class SourceTree
{
    private readonly string _rootNamespace;
    private readonly ILookup<string, SourceFile> _byType;

    private SourceTree(string rootNamespace, IReadOnlyList<SourceFile> files)
    {
        (_rootNamespace, Files) = (rootNamespace, files);
        _byType = files.ToLookup(file => file.Type);
        Folders = [.. files.SelectMany(file => Ancestors(file.Folder)).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>All files.</summary>
    public IReadOnlyList<SourceFile> Files { get; }

    /// <summary>All folders that hold files, at any depth.</summary>
    public IReadOnlyList<string> Folders { get; }

    /// <summary>Reads the source of a project.</summary>
    /// <param name="project">Its folder below the repository, with slashes.</param>
    /// <param name="rootNamespace">The namespace of files beside the project file.</param>
    public static SourceTree Read(string project, string rootNamespace)
    {
        string folder = Path.Combine(Repository.Root, project);
        return new SourceTree(
            rootNamespace,
            [.. Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
                .Select(file => SourceFile.Read(folder, file))
                .Where(file => file.Path.Split('/')[0] is not ("bin" or "obj"))
                .OrderBy(file => file.Path, StringComparer.Ordinal)]);
    }

    /// <summary>
    /// Files whose namespace is not their folder. Extensions by which an expansion, its pruners or its mixtures are
    /// reached stand in the root namespace, so that they need no using.
    /// </summary>
    public IEnumerable<string> WrongNamespaces() => Files
        .Where(file => file.Namespace.Length > 0)
        .Where(file => file.Namespace != (IsEntry(file) ? "SparseExpansion" : NamespaceOf(file.Folder)))
        .Select(file => $"{file.Path}: {file.Namespace}");

    /// <summary>The folder of a type, by its file or else by its namespace; null for what a compiler made.</summary>
    /// <param name="typeNamespace">Namespace of the type.</param>
    /// <param name="name">Its name, without the number of type parameters.</param>
    public string? FolderOf(string typeNamespace, string name)
    {
        SourceFile[] files = [.. _byType[name].Where(file => file.Namespace == typeNamespace)];
        return files.Length == 1 ? files[0].Folder : FolderOf(typeNamespace);
    }

    /// <summary>The folder of a namespace; null if the project has none.</summary>
    /// <param name="name">The namespace.</param>
    public string? FolderOf(string name) =>
        name == _rootNamespace ? "" : Folders.FirstOrDefault(folder => NamespaceOf(folder) == name);

    /// <summary>True for a folder and those in it.</summary>
    public static bool IsBelow(string folder, string parent) =>
        folder == parent || parent.Length == 0 || folder.StartsWith(parent + "/", StringComparison.Ordinal);

    private static bool IsEntry(SourceFile file) =>
        file.Type is "MixtureExtensions" or "RefitExtensions" or "QuantizationExtensions"
        || (IsBelow(file.Folder, "Expansion") && file.Type.EndsWith("Extensions", StringComparison.Ordinal));

    private string NamespaceOf(string folder) =>
        folder.Length == 0 ? _rootNamespace : $"{_rootNamespace}.{folder.Replace('/', '.')}";

    private static IEnumerable<string> Ancestors(string folder)
    {
        for (; folder.Length > 0; folder = folder.Contains('/', StringComparison.Ordinal) ? folder[..folder.LastIndexOf('/')] : "")
        {
            yield return folder;
        }
    }
}
