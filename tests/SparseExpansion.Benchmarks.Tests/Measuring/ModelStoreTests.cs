using SparseExpansion.Comparison.Folders;
using SparseExpansion.Comparison.Gguf;
using SparseExpansion.Execution;
using SparseExpansion.Testing;

namespace SparseExpansion.Comparison.Measuring;

public sealed class ModelStoreTests
{
    private static readonly ModelShape s_shape = new(1, 64, 128, 4, 2, 320);
    private static readonly WeightStorage s_storage = new(ElementType.Float32);

    [Fact]
    public void Models_OfAGivenFolder_AreWrittenOnceAndKept()
    {
        using var folder = new TemporaryFolder();
        DateTime[] times = new DateTime[2];
        for (int i = 0; i < 2; i++)
        {
            using var store = new ModelStore(folder.Path, s_shape);
            string ours = store.Ours(s_storage), peer = store.Peer(GgufType.Q4);
            times[i] = File.GetLastWriteTimeUtc(Path.Combine(ours, "model.safetensors"));
            store.Release(ours);
            store.Release(peer);
        }

        Assert.Equal(times[0], times[1]);
        Assert.Equal(
            ["Q4_0.gguf", "float32-dense"],
            Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Models_OfNoFolder_AreDeletedWhenReleased()
    {
        string ours, peer, kept;
        using (var store = new ModelStore(null, s_shape))
        {
            (ours, peer, kept) = (store.Ours(s_storage), store.Peer(GgufType.Q4), store.Peer(GgufType.F32));
            store.Release(ours);
            store.Release(peer);

            Assert.False(Directory.Exists(ours));
            Assert.False(File.Exists(peer));
            Assert.True(File.Exists(kept));
        }

        Assert.False(Directory.Exists(Path.GetDirectoryName(kept)));
    }
}
