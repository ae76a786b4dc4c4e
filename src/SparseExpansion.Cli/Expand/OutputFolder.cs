using SparseExpansion.Execution.Files;
using SparseExpansion.Internal.Files;
using SparseExpansion.Internal;
using SparseExpansion.Serialization;

namespace SparseExpansion.Cli;

/// <summary>Checks the folder that a model is to be written to, before hours are spent on the model.</summary>
internal static class OutputFolder
{
    /// <param name="output">The folder to make.</param>
    /// <param name="overwrite">True if one of the same kind may be replaced.</param>
    /// <param name="model">The folder of the model that is read.</param>
    /// <param name="kind">What is to be written.</param>
    /// <param name="resume">True if finished blocks are to be gone on with.</param>
    /// <exception cref="UsageException">The folder cannot be made, or something would be lost.</exception>
    public static void Check(string output, bool overwrite, string model, OutputKind kind, bool resume = false)
    {
        string path = FolderPath.Normalize(output);
        if (FolderPath.IsInside(model, path))
        {
            throw new UsageException($"--output {output}: holds the model itself; name another folder.");
        }

        if (RegularFile.LeadsNowhere(path))
        {
            throw new UsageException($"--output {output}: is a link to nothing; remove it, or make the folder that it leads to.");
        }

        if (File.Exists(path))
        {
            throw new UsageException($"--output {output}: is a file; name a folder.");
        }

        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            RequireReplaceable(output, overwrite, kind, resume);
        }

        RequireWritable(output, path);
    }

    private static void RequireReplaceable(string output, bool overwrite, OutputKind kind, bool resume)
    {
        // Blocks may wait beside a complete output that they are to replace.
        if (resume && !overwrite && ExpandedModel.IsExpanded(output) && !PartialWork.Exists(output))
        {
            throw new UsageException($"--output {output}: is complete already; there is nothing to resume. Add --overwrite to make it anew.");
        }

        if (!overwrite)
        {
            throw new UsageException($"--output {output}: exists and is not empty; name another folder, or add --overwrite.");
        }

        if (!kind.Recognizes(output))
        {
            throw new UsageException($"--output {output}: --overwrite replaces {kind.Plural} only, and this folder holds something else.");
        }
    }

    private static void RequireWritable(string output, string path)
    {
        string folder = path;
        while (!Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder)!; // The root exists.
            if (File.Exists(folder))
            {
                throw new UsageException($"--output {output}: cannot be made, for {folder} is a file.");
            }
        }

        try
        {
            string probe = Path.Combine(folder, $".{Guid.NewGuid():N}.probe");
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--output {output}: cannot be written: nothing can be made in {folder} ({SystemReason.Of(error)}).");
        }
    }
}
