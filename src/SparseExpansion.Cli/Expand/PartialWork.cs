using System.Globalization;
using SparseExpansion.Expansion;
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
    private bool _completed;

    private PartialWork(FolderExpansionStore store, string output, TextWriter error) => (Store, _output, _error) = (store, output, error);

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
        if (resume || store.UnitCount == 0)
        {
            return new PartialWork(Reserved(store), path, error);
        }

        string message = string.Create(
            CultureInfo.InvariantCulture,
            $"--output {output}: an expansion of {store.UnitCount} blocks so far waits in {store.Folder}; add --resume to go on with it, or remove that folder.");
        store.Dispose();
        throw new UsageException(message);
    }

    /// <summary>Keeps other runs with this output out, those that store no blocks too.</summary>
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
    public static FolderExpansionStore OpenStore(string output) =>
        FolderExpansionStore.Open(Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + ".partial");

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

        if (Store.UnitCount == 0)
        {
            Store.Delete();
            return;
        }

        _error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Tool.Name}: {Store.UnitCount} finished blocks are kept in {Store.Folder}; --resume goes on with them."));
        Store.Dispose();
    }
}
