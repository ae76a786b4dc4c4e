using SparseExpansion.Execution.Files;

namespace SparseExpansion.Internal.Files;

/// <summary>Copies contents, not the protection against writing: the copy belongs to the caller.</summary>
internal static class FileCopy
{
    /// <exception cref="CheckpointException">The source is not a regular file.</exception>
    /// <exception cref="IOException">The destination cannot be written.</exception>
    public static void Replace(string source, string destination)
    {
        RegularFile.Require(source);
        if (File.Exists(destination))
        {
            File.SetAttributes(destination, FileAttributes.Normal); // Some systems refuse to delete what is protected.
            File.Delete(destination);
        }

        File.Copy(source, destination);
        File.SetAttributes(destination, File.GetAttributes(destination) & ~FileAttributes.ReadOnly);
    }
}
