using SparseExpansion.Internal.Files;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>
/// Tensors on disk that look like others: the system reads them when they
/// are used and forgets them when memory is short.
/// </summary>
public static class ScratchTensor
{
    /// <summary>
    /// Writes a tensor to a file without a name and maps it. On Windows the file keeps its name, <c>.*.scratch</c>,
    /// until somebody removes it.
    /// </summary>
    /// <param name="tensor">The tensor; it stays the caller's.</param>
    /// <param name="folder">On the disk that is to take it.</param>
    /// <returns>A CPU tensor of the same values, owned by the caller.</returns>
    /// <exception cref="CheckpointException">The folder cannot be written.</exception>
    public static Tensor Create(Tensor tensor, string folder)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string path = ScratchFile.NewName(folder);
        try
        {
            SafetensorsWriter.Write(path, [KeyValuePair.Create("tensor", tensor)]);
            using SafetensorsReader reader = SafetensorsReader.Open(path);
            return reader.Map("tensor");
        }
        finally
        {
            Remove(path);
        }
    }

    private static void Remove(string path)
    {
        try
        {
            if (File.Exists(path))
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (OperatingSystem.IsWindows() && e is IOException or UnauthorizedAccessException)
        {
            // Windows keeps mapped files.
        }
    }
}
