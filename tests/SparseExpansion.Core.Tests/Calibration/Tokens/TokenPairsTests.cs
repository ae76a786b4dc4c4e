using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

public sealed class TokenPairsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public void Pairs_AgainstConcatenation_GiveTheSame(int chunkTokens)
    {
        using var scope = NewDisposeScope();
        Tensor[] first = [randn(7, 3), randn(5, 3)], second = [randn(7, 2), randn(5, 2)];
        var pairs = new TokenPairs(new TokenMatrix(first), new TokenMatrix(second));
        Tensor expected = cat([cat(first, 0), cat(second, 0)], 1);
        long[] indices = [11, 0, 7, 7];

        Assert.Equal((12L, 5), (pairs.TokenCount, pairs.Features));
        Assert.True(TensorChecks.Equal(expected, cat([.. pairs.ReadChunks(chunkTokens, CPU)], 0)));
        Assert.True(TensorChecks.Equal(expected.index_select(0, tensor(indices)), pairs.Gather(indices, CPU)));
    }

    [Fact]
    public void Pairs_OfDifferentCounts_AreRefused()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>("second", () => new TokenPairs(new TokenMatrix(zeros(3, 2)), new TokenMatrix(zeros(4, 2))));
        Assert.Contains("3 and 4", error.Message, StringComparison.Ordinal);
    }
}
