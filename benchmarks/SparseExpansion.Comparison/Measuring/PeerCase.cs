using SparseExpansion.Comparison.Folders;
using SparseExpansion.Comparison.Gguf;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>One of our models and the file of the peer that it is compared with.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="Storage">How our model is stored.</param>
/// <param name="Peer">Type of the peer's weights.</param>
internal sealed record PeerCase(string Name, WeightStorage Storage, GgufType Peer)
{
    /// <summary>The row of a test, for filters.</summary>
    public string RowName(PeerTest test) => $"{Name} / {Peer.Name}: {test.Name}";
}
