using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Loading;

public sealed class MappedWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _scratch = new();

    public void Dispose()
    {
        _folder.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Load_Mapped_GivesTheSameLogitsAndLeavesNoFiles(ScalarType stored)
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        Rewrite(stored);
        using CausalLanguageModel copied = PretrainedModel.Load(_folder.Path);
        Tensor ids = tensor(new long[] { 3, 1, 4, 1, 5 }).unsqueeze(0);
        Tensor expected = copied.call(ids);

        using (CausalLanguageModel mapped = PretrainedModel.Load(_folder.Path, Options()))
        {
            Assert.All(
                mapped.state_dict(),
                item => Assert.True(item.Value.equal(copied.state_dict()[item.Key]).all().item<bool>()));
            Assert.True(mapped.call(ids).allclose(expected, rtol: 1e-5, atol: 1e-6));
            if (OperatingSystem.IsLinux() && stored == ScalarType.Float32)
            {
                Assert.Contains(
                    _folder.File("model.safetensors"), File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
            }
        }

        if (!OperatingSystem.IsWindows())
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch.Path));
        }
    }

    [Fact]
    public void Load_Mapped_WritingToAWeightLeavesTheFile()
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        byte[] before = File.ReadAllBytes(_folder.File("model.safetensors"));
        using CausalLanguageModel model = PretrainedModel.Load(_folder.Path, Options());

        using (no_grad())
        {
            foreach (Tensor weight in model.state_dict().Values)
            {
                weight.zero_();
            }
        }

        Assert.Equal(before, File.ReadAllBytes(_folder.File("model.safetensors")));
    }

    [Fact]
    public void Load_ScratchFolderThatIsNone_SaysSo()
    {
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        Rewrite(ScalarType.BFloat16);

        Assert.Throws<CheckpointException>(
            () => PretrainedModel.Load(_folder.Path, Options() with { ScratchFolder = _scratch.File("none") }));
    }

    private LoadOptions Options() => new() { MapDenseWeights = true, ScratchFolder = _scratch.Path };

    private void Rewrite(ScalarType type) => Fixture.Rewrite(_folder.Path, tensors =>
    {
        foreach ((string name, Tensor tensor) in tensors.ToArray())
        {
            tensors[name] = tensor.to(type);
        }
    });
}
