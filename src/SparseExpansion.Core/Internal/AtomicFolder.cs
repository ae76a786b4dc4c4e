namespace SparseExpansion.Internal;

/// <summary>A folder that appears under its name only when it is complete. Uncommitted, it vanishes on disposal.</summary>
internal sealed class AtomicFolder : IDisposable
{
    private readonly string _target;
    private bool _committed;

    private AtomicFolder(string target, string path)
    {
        _target = target;
        Path = path;
    }

    /// <summary>Where to write until <see cref="Commit"/>.</summary>
    public string Path { get; }

    /// <summary>Makes the temporary folder beside its target.</summary>
    /// <param name="target">The folder to be.</param>
    /// <param name="overwrite">True: replaces what is there on commit.</param>
    /// <exception cref="CheckpointException">The target exists and is not empty, or cannot be written.</exception>
    public static AtomicFolder Create(string target, bool overwrite)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(target);
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        if (File.Exists(full))
        {
            throw new CheckpointException($"{full}: is a file; name a folder.");
        }

        if (!overwrite && Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any())
        {
            throw new CheckpointException($"{full}: exists and is not empty. Name another folder, or allow overwriting.");
        }

        string temporary = $"{full}.{Guid.NewGuid():N}.partial";
        Guarded(full, () => Directory.CreateDirectory(temporary));
        return new AtomicFolder(full, temporary);
    }

    /// <summary>Puts the folder into its place.</summary>
    public void Commit() => Guarded(_target, () =>
    {
        string? old = Directory.Exists(_target) ? $"{_target}.{Guid.NewGuid():N}.old" : null;
        if (old is not null)
        {
            Directory.Move(_target, old);
        }

        try
        {
            Directory.Move(Path, _target);
        }
        catch when (old is not null)
        {
            Directory.Move(old, _target);
            throw;
        }

        _committed = true;
        if (old is not null)
        {
            Directory.Delete(old, recursive: true);
        }
    });

    public void Dispose()
    {
        if (!_committed && Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    private static void Guarded(string target, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{target}: cannot be written: {e.Message}", e);
        }
    }
}
