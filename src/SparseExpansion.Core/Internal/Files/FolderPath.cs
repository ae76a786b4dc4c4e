namespace SparseExpansion.Internal.Files;

/// <summary>Compares folders by their paths; links are not followed.</summary>
internal static class FolderPath
{
    /// <summary>A full path without a separator at its end.</summary>
    public static string Normalize(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    /// <summary>True if a path is a folder or lies below it.</summary>
    public static bool IsInside(string path, string folder)
    {
        (string full, string outer) = (Normalize(path), Normalize(folder));
        return full == outer
            || full.StartsWith(
                Path.TrimEndingDirectorySeparator(outer) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }
}
