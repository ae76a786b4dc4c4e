using System.Runtime.InteropServices;
using SparseExpansion.Execution.Errors;

namespace SparseExpansion.Internal.Files;

/// <summary>Files and names that survive a loss of power.</summary>
internal static partial class Durable
{
    private const int CurrentFolder = -100;
    private const uint Exchange = 2;

    /// <summary>Writes a file that has either its old content or all of the new one, whatever happens.</summary>
    /// <exception cref="CheckpointException">It cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            // The last: a file larger than its file system allows.
            if (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
            {
                throw new CheckpointException($"{path}: cannot be written: {PlainMessage.Clause(e)}", e);
            }

            throw;
        }

        FlushNames(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Brings the contents of all files below a folder to disk, and their names.</summary>
    public static void FlushTree(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var handle = File.OpenHandle(
                file, FileMode.Open, OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read);
            RandomAccess.FlushToDisk(handle);
        }

        foreach (string inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
        {
            FlushNames(inner);
        }

        FlushNames(folder);
    }

    /// <summary>
    /// Brings the names in a folder to disk: without it a renamed file may come back under its old name. Windows does
    /// so by itself.
    /// </summary>
    public static void FlushNames(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(folder, 0);
        if (descriptor < 0)
        {
            throw new IOException($"The folder '{folder}' cannot be opened (error {Marshal.GetLastPInvokeError()}).");
        }

        int error = Flush(descriptor) == 0 ? 0 : Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        const int notSupported = 22; // EINVAL: file systems that have nothing to flush.
        if (error is not 0 and not notSupported)
        {
            throw new IOException($"The folder '{folder}' cannot be flushed to disk (error {error}).");
        }
    }

    /// <summary>Lets two folders change names in one step, where the system can.</summary>
    /// <returns>False: nothing has changed.</returns>
    public static bool TryExchange(string left, string right)
    {
        try
        {
            return OperatingSystem.IsLinux() && Rename(CurrentFolder, left, CurrentFolder, right, Exchange) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false; // A C library older than 2018.
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Rename(int fromFolder, string from, int toFolder, string to, uint flags);
}
