using System.Globalization;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Files;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>
/// Finished blocks in a folder: a journal and one file of experts for each block, with their SHA-256. Files are written
/// beside their names, flushed to disk and renamed, and the journal last, so that a kill, a full disk or a loss of
/// power costs the unfinished block only.
/// </summary>
/// <remarks>
/// One process at a time may use a folder; it is locked. The folder takes about the bytes of the finished experts, and
/// the activations of one block. Remove it by <see cref="Delete"/> when the expanded model is saved. docs/long-runs.md
/// describes the files.
/// </remarks>
public sealed class FolderExpansionStore : IExpansionStore, IDisposable
{
    private const string LockFile = "lock";

    private FileStream? _lock;
    private StoreJournal? _journal;

    private FolderExpansionStore(string folder) => Folder = folder;

    /// <summary>The folder; it need not exist before <see cref="Begin"/>.</summary>
    public string Folder { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string>? Settings => _journal?.Settings;

    /// <inheritdoc/>
    public int BlockCount => _journal?.Blocks.Count ?? 0;

    /// <summary>Opens a folder, or names the one to make.</summary>
    /// <param name="folder"> A folder of its own: <see cref="Begin"/> and <see cref="Delete"/> remove what is in it.
    /// </param>
    /// <returns>The store; the caller disposes it, which keeps the folder.</returns>
    /// <exception cref="CheckpointException"> Another process uses the folder, it holds something else, or its journal
    /// is damaged.
    /// </exception>
    public static FolderExpansionStore Open(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        var store = new FolderExpansionStore(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        try
        {
            store.Guarded(store.ReadFolder);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="CheckpointException"> The folder cannot be written, another process uses it, or somebody has
    /// left finished blocks or something else in it since <see cref="Open"/>.
    /// </exception>
    public void Begin(IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Guarded(() =>
        {
            Reserve();
            Update(new StoreJournal { Format = StoreJournal.FormatName, Version = StoreJournal.CurrentVersion, Settings = settings, Blocks = [] });
            RemoveUnnamed();
            Durable.FlushNames(Path.GetDirectoryName(Folder) ?? Folder);
        });
    }

    /// <inheritdoc/>
    public void Add(StoredBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        StoreJournal journal = _journal ?? throw new InvalidOperationException(
            $"Call {nameof(Begin)} before {nameof(Add)}.");
        Guarded(() =>
        {
            StoredFile experts = Write("experts", block.Tensors);
            StoredFile? activations = block.Activations.Count == 0
                ? null
                : Write("activations", block.Activations.Select((tensor, batch) => KeyValuePair.Create(ActivationName(batch), tensor)));
            Durable.FlushNames(Folder);
            Update(journal with
            {
                Blocks = [.. journal.Blocks.Select(former => former with { Activations = null }), new StoredBlockFiles(block.Description, experts, activations)],
            });
            RemoveUnnamed();
        });
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The tensors lie in the mapped files. They may outlive the store on Linux, where the folder may even be deleted.
    /// </remarks>
    public StoredBlock Read(int block)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, BlockCount);
        StoredBlockFiles files = _journal!.Blocks[block];
        Dictionary<string, Tensor>? experts = null;
        try
        {
            Guarded(() => experts = Map(files.Experts));
            Dictionary<string, Tensor> activations = [];
            if (files.Activations is not null)
            {
                Guarded(() => activations = Map(files.Activations));
            }

            return new StoredBlock(files.Description, experts!, [.. activations.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value)]);
        }
        catch
        {
            experts?.Values.ToList().ForEach(tensor => tensor.Dispose());
            throw;
        }
    }

    /// <summary>Gives the folder up to others and keeps what is in it.</summary>
    public void Dispose()
    {
        _lock?.Dispose();
        _lock = null;
        _journal = null;
    }

    /// <summary>Removes the folder. On Windows no tensor of it may be alive.</summary>
    /// <exception cref="CheckpointException">It cannot be removed, another process uses it, or it has come to hold
    /// something else since <see cref="Open"/>.</exception>
    public void Delete()
    {
        if (Directory.Exists(Folder))
        {
            Guarded(Remove);
        }

        Dispose();
    }

    /// <summary>Makes the folder if there is none, and keeps others out from now on.</summary>
    /// <exception cref="CheckpointException"> Another process uses the folder, or somebody has left finished blocks or
    /// something else in it since <see cref="Open"/>.
    /// </exception>
    internal void Reserve()
    {
        if (_lock is not null)
        {
            return;
        }

        Guarded(() =>
        {
            Directory.CreateDirectory(Folder);
            Lock();
        });
        if (StoreJournal.Read(Folder) is { Blocks.Count: > 0 } journal)
        {
            Dispose();
            throw new CheckpointException($"{Folder}: another expansion has left {journal.Blocks.Count} finished blocks here since the folder was opened; open it again.");
        }
    }

    private void Remove()
    {
        Lock();
        if (OperatingSystem.IsWindows())
        {
            Dispose(); // Open files cannot be removed there.
        }

        Directory.Delete(Folder, recursive: true);
    }

    private static string ActivationName(int batch) => batch.ToString("D8", CultureInfo.InvariantCulture);

    private void ReadFolder()
    {
        if (File.Exists(Folder))
        {
            throw new CheckpointException($"{Folder}: is a file; name a folder.");
        }

        if (!Directory.Exists(Folder))
        {
            return;
        }

        Lock();
        _journal = StoreJournal.Read(Folder); // Now that nobody else changes it.
    }

    /// <exception cref="CheckpointException">There are files here that no expansion has left.</exception>
    private void RequireNothingElse()
    {
        if (StoreJournal.Read(Folder) is null && Directory.EnumerateFileSystemEntries(Folder).Any(path => Path.GetFileName(path) != LockFile && !path.EndsWith(".tmp", StringComparison.Ordinal)))
        {
            throw new CheckpointException(
                $"{Folder}: holds something other than an unfinished expansion; name another folder.");
        }
    }

    private void Lock()
    {
        if (_lock is not null)
        {
            return;
        }

        RequireNothingElse(); // Before a lock is left among somebody's files.
        try
        {
            _lock = new FileStream(
                Path.Combine(Folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(Path.Combine(Folder, LockFile)))
        {
            throw new CheckpointException($"{Folder}: is in use by another expansion, or by a store of this program that was not disposed ({PlainMessage.Clause(e)})", e);
        }

        try
        {
            RequireNothingElse(); // Files that came meanwhile would be removed.
        }
        catch
        {
            _lock.Dispose();
            _lock = null;
            throw;
        }
    }

    /// <summary>The journal in memory changes only when that on disk has.</summary>
    private void Update(StoreJournal journal)
    {
        journal.Write(Folder);
        _journal = journal;
    }

    private StoredFile Write(string kind, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{kind}-{BlockCount:D5}.safetensors");
        SafetensorsWriter.Write(Path.Combine(Folder, name), tensors);
        return StoredFile.Of(Folder, name);
    }

    private Dictionary<string, Tensor> Map(StoredFile file)
    {
        file.Check(Folder);
        using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(Folder, file.Name));
        using var scope = NewDisposeScope();
        var tensors = reader.Entries.Keys.ToDictionary(name => name, reader.Map);
        scope.Detach(tensors.Values);
        return tensors;
    }

    /// <summary>Removes files of blocks that were not finished, and activations that nobody needs any more.</summary>
    private void RemoveUnnamed()
    {
        HashSet<string> named = [StoreJournal.FileName, LockFile, .. _journal!.Blocks.SelectMany(block => new[] { block.Experts.Name, block.Activations?.Name ?? "" })];
        foreach (string path in Directory.EnumerateFiles(Folder).Where(path => !named.Contains(Path.GetFileName(path))))
        {
            try
            {
                File.Delete(path);
            }
            catch (Exception e) when (OperatingSystem.IsWindows() && e is IOException or UnauthorizedAccessException)
            {
                // Windows keeps files that are mapped; the next block, or Delete, removes them.
            }
        }
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{Folder}: cannot be read or written: {PlainMessage.Clause(e)}", e);
        }
    }
}
