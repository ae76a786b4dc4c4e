using CsCheck;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

public sealed class TokenRangeTests
{
    [Fact]
    public void ReadChunksAndGather_AnyCut_AreTheTokensOfTheRange() =>
        Gen.Select(Gen.Int[2, 30], Gen.Int[0, 12], Gen.Double[0.01, 0.99], Gen.Int[1, 9]).Sample((first, second, share, chunk) =>
        {
            using var scope = NewDisposeScope();
            Tensor all = TensorArithmetic.Range(first + second, ScalarType.Float32).unsqueeze(1).expand(-1, 2).contiguous();
            var source = new TokenMatrix(all.narrow(0, 0, first), all.narrow(0, first, second));

            (TokenRange fitted, TokenRange heldOut) = TokenRange.Split(source, share);

            Assert.InRange(heldOut.TokenCount, 1, source.TokenCount - 1);
            Assert.Equal(source.TokenCount, fitted.TokenCount + heldOut.TokenCount);
            Assert.True(cat([Read(fitted, chunk), Read(heldOut, chunk)]).allclose(all, 0, 0));
            Assert.Equal(all[fitted.TokenCount, 0].item<float>(), heldOut.Gather([0], CPU)[0, 0].item<float>());
            Assert.Throws<ArgumentOutOfRangeException>(() => fitted.Gather([fitted.TokenCount], CPU));
        }, iter: 50, threads: 1);

    [Fact]
    public void ReadChunks_EndedEarly_LeavesNoTensor()
    {
        using Tensor all = randn(20, 3);
        (TokenRange fitted, _) = TokenRange.Split(new TokenMatrix(all), 0.3);
        LeakCheck.NoTensorsLeft(() => Read(fitted, 4).Dispose());
    }

    private static Tensor Read(ITokenSource source, int chunk)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (Tensor part in source.ReadChunks(chunk, CPU))
        {
            Assert.InRange(part.shape[0], 1, chunk);
            parts.Add(part);
        }

        return cat(parts).MoveToOuterDisposeScope();
    }
}
