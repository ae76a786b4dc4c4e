using SparseExpansion.Cli.Hosting;
using SparseExpansion.Execution.Files;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Files;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Cli.Output;

/// <summary>Checks the output folder before hours are spent on the model.</summary>
internal static class OutputFolder
{
    /// <param name="output">The folder to create.</param>
    /// <param name="overwrite">True if a folder of the same kind may be replaced.</param>
    /// <param name="model">The input model's folder.</param>
    /// <param name="kind">Kind of output to write.</param>
    /// <param name="resume">True to continue with finished blocks.</param>
    /// <exception cref="UsageException">The folder cannot be created, or something would be lost.</exception>
    public static void Check(string output, bool overwrite, string model, OutputKind kind, bool resume = false)
    {
        string path = FolderPath.Normalize(output);
        if (FolderPath.IsInside(model, path))
        {
            throw new UsageException($"--output {output}: contains the model itself; choose another folder.");
        }

        if (RegularFile.LeadsNowhere(path))
        {
            throw new UsageException(
                $"--output {output}: is a link to a folder that does not exist; remove it, or create that folder.");
        }

        if (File.Exists(path))
        {
            throw new UsageException($"--output {output}: is a file; choose a folder.");
        }

        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            RequireReplaceable(output, overwrite, kind, resume);
        }

        RequireWritable(output, path);
    }

    private static void RequireReplaceable(string output, bool overwrite, OutputKind kind, bool resume)
    {
        // There may be finished blocks next to a complete output that they will replace.
        if (resume && !overwrite && ExpandedModel.IsExpanded(output) && !PartialFolder.Exists(output))
        {
            throw new UsageException(
                $"--output {output}: is already complete; there is nothing to resume. Add --overwrite to replace it.");
        }

        if (!overwrite)
        {
            throw new UsageException(
                $"--output {output}: exists and is not empty; choose another folder, or add --overwrite.");
        }

        if (!kind.Recognizes(output))
        {
            throw new UsageException($"--output {output}: --overwrite only replaces {kind.Plural}, and this folder contains something else.");
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
                throw new UsageException($"--output {output}: cannot be created because {folder} is a file.");
            }
        }

        try
        {
            string probe = Path.Combine(folder, $".{Guid.NewGuid():N}.probe");
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--output {output}: cannot be written: no files can be created in {folder} ({SystemReason.Of(error)}).");
        }
    }
}
