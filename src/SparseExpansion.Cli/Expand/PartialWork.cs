using System.Globalization;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Internal.Files;
using SparseExpansion.Internal;

namespace SparseExpansion.Cli;

/// <summary>
/// The finished blocks of an expansion, in a folder beside its output. Disposal without <see cref="Complete"/> keeps them and says so; a
/// folder without finished blocks goes away.
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

    /// <param name="output">The folder that is to be made; the other one has <c>.partial</c> behind its name.</param>
    /// <param name="resume">True if finished blocks are welcome.</param>
    /// <param name="error">Where it is said that blocks are kept.</param>
    /// <exception cref="UsageException">There are finished blocks, and nobody asked to go on with them.</exception>
    /// <exception cref="CheckpointException">The folder is in use or holds something else.</exception>
    public static PartialWork Open(string output, bool resume, TextWriter error)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        FolderExpansionStore store = OpenStore(output);
        if (resume || store.BlockCount == 0)
        {
            return new PartialWork(Reserved(store), path, error);
        }

        string message = string.Create(
            CultureInfo.InvariantCulture,
            $"--output {output}: an expansion of {ReportText.Count(store.BlockCount, "block")} so far waits in {store.Folder}; add --resume to go on with it, or remove that folder.");
        store.Dispose();
        throw new UsageException(message);
    }

    /// <summary>Keeps other runs with this output out from the start.</summary>
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

    /// <summary>The folder of an output's finished blocks; opening makes none.</summary>
    public static FolderExpansionStore OpenStore(string output) => FolderExpansionStore.Open(FolderOf(output));

    /// <summary>True if there is a folder for an output's finished blocks.</summary>
    public static bool Exists(string output) => Directory.Exists(FolderOf(output));

    /// <summary>The message for an error that says that the blocks belong to another expansion; null for others, and once this run has added blocks.</summary>
    /// <param name="output">As the user wrote it.</param>
    /// <param name="error">What the expansion threw.</param>
    public string? Foreign(string output, SparseExpansionException error)
    {
        if (Store.BlockCount != _found || OptionMessage.Differences(error) is not { } differences)
        {
            return null;
        }

        _isForeign = true;
        return $"--output {output}: {Store.Folder} holds blocks of another expansion: {differences}. Give the former value, or remove that folder to begin anew.";
    }

    /// <summary>Removes what killed runs have left of the output. The store is locked, so nobody else is writing.</summary>
    public void RemoveLeftovers() => AtomicFolder.RemoveLeftovers(_output);

    /// <summary>The output is saved: removes the finished blocks.</summary>
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

        // That --resume goes on with blocks of another expansion would be wrong.
        if (!_isForeign)
        {
            SayThatBlocksAreKept();
        }

        Store.Dispose();
    }

    private static string FolderOf(string output) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + ".partial";

    private void SayThatBlocksAreKept() =>
        _error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Tool.Name}: finished so far: {ReportText.Count(Store.BlockCount, "block")}, kept in {Store.Folder}; --resume goes on with them."));
}
