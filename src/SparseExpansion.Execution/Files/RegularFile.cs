using System.Runtime.InteropServices;

namespace SparseExpansion.Execution.Files;

/// <summary>
/// Tells files from what only looks like one. A pipe without a writer would keep its reader waiting for ever, and a
/// device may never end. Links are followed: folders of download caches consist of them.
/// </summary>
internal static partial class RegularFile
{
    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;

    /// <exception cref="CheckpointException">There is nothing of this name, or it is not a regular file.</exception>
    public static void Require(string path)
    {
        if (Directory.Exists(path))
        {
            throw new CheckpointException($"{path}: is a folder; a file is needed.");
        }

        if (LeadsNowhere(path))
        {
            throw new CheckpointException(
                $"{path}: is a link to {new FileInfo(path).LinkTarget}, which does not exist.");
        }

        if (!File.Exists(path))
        {
            throw new CheckpointException($"{path}: there is no such file.");
        }

        if (Mode(path) is { } mode && (mode & TypeMask) != Regular)
        {
            throw new CheckpointException($"{path}: is a pipe or a device; write its contents to a file first.");
        }
    }

    /// <summary>True for a link whose target is missing; the system's own question calls such a link a file.</summary>
    public static bool LeadsNowhere(string path) =>
        new FileInfo(path).LinkTarget is not null && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target
        && !Path.Exists(target.FullName);

    /// <summary>Type and permissions, or null where the system cannot say; .NET has no word for them.</summary>
    private static unsafe int? Mode(string path)
    {
        byte* result = stackalloc byte[512];
        if (OperatingSystem.IsLinux())
        {
            const int WorkingFolder = -100;
            const int ModeOffset = 28;
            return StatX(WorkingFolder, path, 0, 1, result) == 0 ? *(ushort*)(result + ModeOffset) : null;
        }

        if (OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64)
        {
            const int ModeOffset = 4;
            return Stat(path, result) == 0 ? *(ushort*)(result + ModeOffset) : null;
        }

        return null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Stat(string path, byte* result);
}
