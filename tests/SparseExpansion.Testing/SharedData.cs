namespace SparseExpansion.Testing;

/// <summary>
/// Larger test data that is not part of the repository. It lies where the environment variable
/// <c>SPARSE_EXPANSION_DATA</c> points, or in a folder <c>shared/data</c> in or beside an ancestor of the test's
/// folder.
/// </summary>
public static class SharedData
{
    /// <summary>Reason for skipping a test that needs the data.</summary>
    public const string Missing = "Needs the shared test data; set SPARSE_EXPANSION_DATA to its folder.";

    private static readonly string? Folder = Find();

    /// <summary>The full name of a file or folder of the data, or null where it is missing.</summary>
    /// <param name="relativePath">With forward slashes, from the data's folder.</param>
    public static string? TryFind(string relativePath)
    {
        string? path = Folder is null ? null : Path.Combine(Folder, relativePath);
        return File.Exists(path) || Directory.Exists(path) ? path : null;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("SPARSE_EXPANSION_DATA") is { Length: > 0 } chosen)
        {
            return chosen;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
