using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Files;

namespace SparseExpansion.Internal.Files;

/// <summary>
/// A folder that appears under its name only when it is complete. Uncommitted, it vanishes on disposal.
/// </summary>
internal sealed class AtomicFolder : IDisposable
{
    private const string Suffix = ".partial";
    private const string OldSuffix = ".old";

    private readonly string _target;
    private readonly Action<string> _remove;
    private bool _committed;

    private AtomicFolder(string target, string path, Action<string> remove)
    {
        _target = target;
        _remove = remove;
        Path = path;
    }

    /// <summary>The folder to write into until <see cref="Commit"/>.</summary>
    public string Path { get; }

    /// <summary>Makes the temporary folder beside its target.</summary>
    /// <param name="target">The folder to be.</param>
    /// <param name="overwrite">True to replace an existing folder on commit.</param>
    /// <param name="remove">Removes a folder; null: <see cref="Directory.Delete(string, bool)"/>.</param>
    /// <exception cref="CheckpointException">The target exists and is not empty, or cannot be written.</exception>
    public static AtomicFolder Create(string target, bool overwrite, Action<string>? remove = null)
    {
        string full = RequireFree(target, overwrite);
        string temporary = $"{full}.{Guid.NewGuid():N}{Suffix}";
        Guarded(full, () => Directory.CreateDirectory(temporary));
        return new AtomicFolder(full, temporary, remove ?? Delete);
    }

    /// <summary>Finds out, before the work, whether a folder may be made.</summary>
    /// <returns>Its full path, behind links.</returns>
    /// <exception cref="CheckpointException">The target is a file, leads nowhere, or exists and is not
    /// empty.</exception>
    public static string RequireFree(string target, bool overwrite)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(target);
        string full = Resolve(FolderPath.Normalize(target));
        if (File.Exists(full))
        {
            throw new CheckpointException($"{full}: is a file; name a folder.");
        }

        if (!overwrite && Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
        {
            throw new CheckpointException(
                $"{full}: exists and is not empty. Name another folder, or allow it to be replaced (overwrite: true).");
        }

        return full;
    }

    /// <summary>
    /// Puts the folder into its place, on disk and not in caches only. Where the system can, an old folder is replaced
    /// in one step.
    /// </summary>
    public void Commit() => Guarded(_target, () =>
    {
        Durable.FlushTree(Path);
        if (!Directory.Exists(_target))
        {
            Directory.Move(Path, _target);
        }
        else if (!Durable.TryExchange(Path, _target))
        {
            Replace();
        }

        _committed = true;
        Durable.FlushNames(System.IO.Path.GetDirectoryName(_target)!);
        TryRemove(Path); // What was there before, after an exchange.
    });

    private void Replace()
    {
        string old = $"{_target}.{Guid.NewGuid():N}{OldSuffix}";
        Directory.Move(_target, old);
        try
        {
            Directory.Move(Path, _target);
        }
        catch
        {
            Directory.Move(old, _target);
            throw;
        }

        TryRemove(old);
    }

    /// <summary>
    /// Removes what processes that were killed while they wrote to a target have left beside it. No other process may
    /// be writing to it. What the target was before stays while there is no target: it is the only copy then.
    /// </summary>
    public static void RemoveLeftovers(string target)
    {
        string full = BehindLink(FolderPath.Normalize(target));
        string parent = System.IO.Path.GetDirectoryName(full) ?? full;
        if (!Directory.Exists(parent))
        {
            return;
        }

        string prefix = System.IO.Path.GetFileName(full) + ".";
        foreach (string folder in Directory.EnumerateDirectories(parent))
        {
            string name = System.IO.Path.GetFileName(folder);
            if (IsLeftover(name, prefix, Suffix) || (IsLeftover(name, prefix, OldSuffix) && Directory.Exists(full)))
            {
                Guarded(full, () => Delete(folder));
            }
        }
    }

    public void Dispose()
    {
        if (!_committed)
        {
            TryRemove(Path);
        }
    }

    private static bool IsLeftover(string name, string prefix, string suffix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && name.EndsWith(suffix, StringComparison.Ordinal)
        && name.Length > prefix.Length + suffix.Length
        && Guid.TryParseExact(name[prefix.Length..^suffix.Length], "N", out _);

    private static void Delete(string folder) => Directory.Delete(folder, recursive: true);

    /// <summary>
    /// Removes a folder that nobody needs any more. Where that fails, the target is as it should be all the same, and
    /// an error before it must not be hidden by this one; <see cref="RemoveLeftovers"/> finds the folder by its name.
    /// </summary>
    private void TryRemove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                _remove(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Costs disk space only.
        }
    }

    /// <summary>
    /// Through a link, the folder that it leads to is made: links put large folders onto other disks.
    /// </summary>
    private static string Resolve(string path)
    {
        if (RegularFile.LeadsNowhere(path))
        {
            throw new CheckpointException(
                $"{path}: is a link to nothing; remove it, or make the folder that it leads to.");
        }

        return BehindLink(path);
    }

    private static string BehindLink(string path) => Directory.Exists(path)
        ? Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path
        : path;

    private static void Guarded(string target, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{target}: cannot be written: {PlainMessage.Clause(e)}", e);
        }
    }
}
