using CsCheck;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

public sealed class TokenMatrixTests
{
    [Fact]
    public void ReadChunks_AnyPartsAndChunkSizes_ConcatenatesToTheParts() =>
        Gen.Select(Gen.Int[0, 7].Array[1, 5], Gen.Int[1, 9]).Sample((sizes, chunkTokens) =>
        {
            using var scope = NewDisposeScope();
            Tensor[] parts = Parts(sizes);
            var source = new TokenMatrix(parts);
            Tensor[] chunks = [.. source.ReadChunks(chunkTokens, CPU)];
            Assert.Equal(sizes.Sum(), source.TokenCount);
            Assert.All(chunks, chunk => Assert.InRange(chunk.shape[0], 1, chunkTokens));
            Tensor read = chunks.Length == 0 ? empty(0, 3) : cat(chunks);
            Assert.True(read.equal(cat(parts)).all().item<bool>());
        }, iter: 50);

    [Fact]
    public void Gather_AnyIndices_EqualsIndexSelect() =>
        Gen.Select(Gen.Int[0, 4].Array[1, 6], Gen.Int[0, 1000].Array[0, 12]).Where(t => t.Item1.Sum() > 0).Sample((sizes, draws) =>
        {
            using var scope = NewDisposeScope();
            Tensor[] parts = Parts(sizes);
            long[] indices = [.. draws.Select(draw => (long)draw % sizes.Sum())];
            Tensor gathered = new TokenMatrix(parts).Gather(indices, CPU);
            Assert.Equal([indices.Length, 3], gathered.shape);
            Assert.True(gathered.equal(cat(parts).index_select(0, tensor(indices))).all().item<bool>());
        }, iter: 50);

    [Fact]
    public void Gather_Result_IsACopy()
    {
        using var scope = NewDisposeScope();
        Tensor part = ones(2, 3);
        Tensor gathered = new TokenMatrix(part).Gather([0, 1], CPU);
        gathered.zero_();
        Assert.Equal(6, part.sum().item<float>());
    }

    [Fact]
    public void Gather_PartThatRequiresGrad_GivesPlainValues()
    {
        using var scope = NewDisposeScope();
        Tensor part = ones(2, 3, requires_grad: true);
        Assert.False(new TokenMatrix(part).Gather([1], CPU).requires_grad);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    public void Gather_IndexOutOfRange_Throws(long index)
    {
        using Tensor part = ones(5, 3);
        var source = new TokenMatrix(part);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => source.Gather([index], CPU));
        Assert.Contains("5 tokens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_PartsThatDoNotFit_NamesPartAndShapes()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => new TokenMatrix());
        Assert.Throws<ArgumentException>(() => new TokenMatrix(tensor(1f)));
        Assert.Throws<ArgumentException>(() => new TokenMatrix(ones(3)));
        Assert.Throws<ArgumentException>(() => new TokenMatrix(ones(3, 2), null!));
        Assert.Throws<ArgumentException>(() => new TokenMatrix(ones(3, 2, dtype: ScalarType.Float64)));
        var error = Assert.Throws<ArgumentException>(() => new TokenMatrix(ones(3, 2), ones(3, 4)));
        Assert.Contains("part 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("[3, 4]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[3, 2]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadChunks_BadArguments_ThrowAtOnce()
    {
        using Tensor part = ones(5, 3);
        var source = new TokenMatrix(part);
        Assert.Throws<ArgumentOutOfRangeException>(() => source.ReadChunks(0, CPU));
        Assert.Throws<ArgumentNullException>(() => source.ReadChunks(1, null!));
    }

    [Fact]
    public void ReadAndGather_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor first = ones(5, 3);
        using Tensor second = ones(2, 3);
        var source = new TokenMatrix(first, second);
        foreach (Tensor chunk in source.ReadChunks(2, CPU))
        {
            chunk.Dispose();
        }

        source.Gather([6, 0, 3], CPU).Dispose();
        Assert.False(first.IsInvalid);
    });

    [Fact]
    public void Source_OnAnotherDevice_MovesTokens()
    {
        Assert.SkipUnless(cuda.is_available(), "No CUDA device.");
        using var scope = NewDisposeScope();
        Tensor near = rand(4, 3);
        Tensor far = rand(4, 3, device: CUDA);
        var source = new TokenMatrix(near, far);
        Tensor expected = cat([near, far.cpu()]);
        Assert.True(source.Gather([7, 0], CUDA).cpu().equal(expected[TensorIndex.Tensor(tensor(new long[] { 7, 0 }))]).all().item<bool>());
        Assert.True(cat([.. source.ReadChunks(3, CUDA)]).cpu().equal(expected).all().item<bool>());
    }

    private static Tensor[] Parts(int[] sizes) => [.. sizes.Select(size => rand(size, 3))];
}
