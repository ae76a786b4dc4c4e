using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Output;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Files;

namespace SparseExpansion.Cli.Expand;

/// <summary>
/// The finished blocks of an expansion, in a folder next to its output. Disposal without <see cref="Complete"/> keeps
/// them and says so; a folder without finished blocks is deleted.
/// </summary>
internal sealed class PartialWork : IDisposable
{
    private readonly string _output;
    private readonly TextWriter _error;
    private readonly int _found;
    private bool _completed;
    private bool _isForeign;

    private PartialWork(FolderExpansionStore store, string output, TextWriter error) =>
        (Store, _output, _error, _found) = (store, output, error, store.BlockCount);

    public FolderExpansionStore Store { get; }

    /// <param name="output">The output folder; blocks are in its <see cref="PartialFolder"/>.</param>
    /// <param name="resume">True to continue with finished blocks.</param>
    /// <param name="error">Receives the note that blocks are kept.</param>
    /// <exception cref="UsageException">There are finished blocks, but <paramref name="resume"/> is false.</exception>
    /// <exception cref="CheckpointException">The folder is in use or contains something else.</exception>
    public static PartialWork Open(string output, bool resume, TextWriter error)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        FolderExpansionStore store = PartialFolder.Open(output);
        if (resume || store.BlockCount == 0)
        {
            return new PartialWork(Reserved(store), path, error);
        }

        string message = string.Create(
            CultureInfo.InvariantCulture,
            $"--output {output}: {store.Folder} holds {ReportText.Count(store.BlockCount, "finished block")} of an earlier run; add --resume to continue it, or delete that folder.");
        store.Dispose();
        throw new UsageException(message);
    }

    /// <summary>Locks out other runs with this output from the start.</summary>
    private static FolderExpansionStore Reserved(FolderExpansionStore store)
    {
        try
        {
            store.Reserve();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Message if the error says that the blocks belong to another expansion; null for other errors, and once this run
    /// has added blocks.
    /// </summary>
    /// <param name="output">As the user wrote it.</param>
    /// <param name="error">The expansion's exception.</param>
    public string? Foreign(string output, SparseExpansionException error)
    {
        if (Store.BlockCount != _found || OptionMessage.Differences(error) is not { } differences)
        {
            return null;
        }

        _isForeign = true;
        return $"--output {output}: {Store.Folder} holds blocks of another expansion: {differences}. Use the earlier value, or delete that folder to start over.";
    }

    /// <summary>Deletes leftovers of killed runs. The store is locked, so nobody else is writing.</summary>
    public void RemoveLeftovers() => AtomicFolder.RemoveLeftovers(_output);

    /// <summary>Deletes the finished blocks once the output is saved.</summary>
    public void Complete()
    {
        _completed = true;
        Store.Delete();
    }

    public void Dispose()
    {
        if (_completed)
        {
            return;
        }

        if (Store.BlockCount == 0)
        {
            Store.Delete();
            return;
        }

        // --resume cannot continue blocks of another expansion, so do not suggest it.
        if (!_isForeign)
        {
            SayThatBlocksAreKept();
        }

        Store.Dispose();
    }

    private void SayThatBlocksAreKept() =>
        _error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{ToolHost.ToolName}: {ReportText.Count(Store.BlockCount, "finished block")} kept in {Store.Folder}; add --resume to continue."));
}
