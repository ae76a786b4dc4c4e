
namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>The files of one finished block in a journal.</summary>
/// <param name="Description">The block's description.</param>
/// <param name="Experts">File of experts, biases and routers.</param>
/// <param name="Activations">
/// File of what the block hands on; null where it hands on nothing, or the block after it is finished too.
/// </param>
internal sealed record StoredBlockFiles(string Description, StoredFile Experts, StoredFile? Activations);
