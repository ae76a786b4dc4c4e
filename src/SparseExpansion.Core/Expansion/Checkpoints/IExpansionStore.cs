namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>
/// Keeps the finished blocks of an expansion that is under way, so that it can go on after it was killed; see
/// <see cref="FolderExpansionStore"/>. Used by one expansion at a time.
/// </summary>
public interface IExpansionStore
{
    /// <summary>
    /// Names and values that decided the expansion whose blocks are stored; null where nothing is stored.
    /// </summary>
    IReadOnlyDictionary<string, string>? Settings { get; }

    /// <summary>Number of finished blocks, from the first one on.</summary>
    int BlockCount { get; }

    /// <summary>Forgets everything and begins anew.</summary>
    /// <param name="settings">The settings that <see cref="Settings"/> gives back from then on.</param>
    /// <exception cref="CheckpointException">The store cannot be written.</exception>
    void Begin(IReadOnlyDictionary<string, string> settings);

    /// <summary>
    /// Adds the next block. When this returns, the block survives a kill and a loss of power; when it fails, or is
    /// killed on the way, the store holds the blocks before it.
    /// </summary>
    /// <param name="block">
    /// The block; its tensors stay the caller's. Activations of earlier blocks may be forgotten.
    /// </param>
    /// <exception cref="CheckpointException">The store cannot be written.</exception>
    void Add(StoredBlock block);

    /// <summary>Gives a block back.</summary>
    /// <param name="block">In [0, <see cref="BlockCount"/>).</param>
    /// <returns>The block, with activations if it is the last one; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">A file is missing or not what was written.</exception>
    StoredBlock Read(int block);
}
