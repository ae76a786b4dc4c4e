namespace SparseExpansion.Expansion;

/// <summary>
/// Keeps the finished blocks of an expansion that is under way, so that it can go on after it was killed; see
/// <see cref="FolderExpansionStore"/>. Used by one expansion at a time.
/// </summary>
public interface IExpansionStore
{
    /// <summary>What decided the expansion whose blocks are stored: names and values; null where nothing is stored.</summary>
    IReadOnlyDictionary<string, string>? Settings { get; }

    /// <summary>Number of finished blocks, from the first one on.</summary>
    int UnitCount { get; }

    /// <summary>Forgets everything and begins anew.</summary>
    /// <param name="settings">What <see cref="Settings"/> is to give.</param>
    /// <exception cref="CheckpointException">The store cannot be written.</exception>
    void Begin(IReadOnlyDictionary<string, string> settings);

    /// <summary>
    /// Adds the next block. When this returns, the block survives a kill and a loss of power; when it fails, or is killed on the way, the
    /// store holds the blocks before it.
    /// </summary>
    /// <param name="unit">The block; its tensors stay the caller's. Activations of earlier blocks may be forgotten.</param>
    /// <exception cref="CheckpointException">The store cannot be written.</exception>
    void Add(StoredUnit unit);

    /// <summary>Gives a block back.</summary>
    /// <param name="unit">In [0, <see cref="UnitCount"/>).</param>
    /// <returns>The block, with activations if it is the last one; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">A file is missing or not what was written.</exception>
    StoredUnit Read(int unit);
}
