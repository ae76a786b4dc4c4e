using System.Text.RegularExpressions;

namespace SparseExpansion.Testing.Folders;

/// <summary>A C# file of a project.</summary>
/// <param name="Path">Path below the project, with slashes.</param>
/// <param name="Namespace">Its file-scoped namespace; empty if it has none.</param>
/// <param name="Usings">Namespaces of this repository that it imports.</param>
public sealed partial record SourceFile(string Path, string Namespace, IReadOnlyList<string> Usings)
{
    /// <summary>The folder below the project, with slashes; empty for files beside the project file.</summary>
    public string Folder => Path.Contains('/', StringComparison.Ordinal) ? Path[..Path.LastIndexOf('/')] : "";

    /// <summary>The type that the file is named after.</summary>
    public string Type => System.IO.Path.GetFileName(Path).Split('.')[0];

    /// <summary>Reads a file.</summary>
    /// <param name="project">The project's folder.</param>
    /// <param name="file">The file's path.</param>
    public static SourceFile Read(string project, string file)
    {
        string text = File.ReadAllText(file);
        return new SourceFile(
            System.IO.Path.GetRelativePath(project, file).Replace('\\', '/'),
            NamespaceLine().Match(text).Groups[1].Value,
            [.. UsingLine().Matches(text).Select(match => match.Groups[1].Value)]);
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^using (?:static |\w+ = )?(SparseExpansion[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex UsingLine();
}
