namespace SparseExpansion.Internal.Files;

/// <summary>
/// Files that only this process knows. On Unix they lose their names at once, so that nothing is left even by a kill.
/// </summary>
internal static class ScratchFile
{
    /// <summary>Opens a file without a name to others.</summary>
    /// <param name="folder">On the disk that is to take it.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static FileStream Create(string folder)
    {
        string path = NewName(folder);
        var stream = new FileStream(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 1, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(path);
        }

        return stream;
    }

    /// <summary>An unused name in the folder.</summary>
    public static string NewName(string folder) => Path.Combine(folder, $".{Guid.NewGuid():N}.scratch");
}
