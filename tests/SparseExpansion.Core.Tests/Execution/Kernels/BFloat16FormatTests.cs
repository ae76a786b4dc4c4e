using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution.Kernels;

public sealed unsafe class BFloat16FormatTests
{
    /// <summary>
    /// Every upper half, with lower halves around the tie: torch rounds to nearest, ties to even, as the format must.
    /// </summary>
    [Fact]
    public void Round_AllUpperHalves_EqualsTorch()
    {
        uint[] lower = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF];
        float[] values = [.. Enumerable.Range(0, 1 << 16).SelectMany(upper => lower.Select(low => BitConverter.UInt32BitsToSingle(((uint)upper << 16) | low)))];
        using Tensor wide = tensor(values), expected = wide.to(ScalarType.BFloat16).to(ScalarType.Float32);
        float[] rounded = expected.data<float>().ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            float actual = BitConverter.UInt32BitsToSingle((uint)BFloat16Format.Round(values[i]) << 16);
            Assert.True(actual.Equals(rounded[i]), $"{values[i]:R} became {actual:R}, not {rounded[i]:R}");
        }
    }

    [Fact]
    public void NonZeroMask64_ZerosOfBothSigns_AreNone()
    {
        using var scope = NewDisposeScope();
        Tensor values = TensorArithmetic.Range(64).remainder(Scalars.Of(3)).to(ScalarType.Float32).neg();
        ulong expected = 0;
        for (int i = 0; i < 64; i++)
        {
            expected |= i % 3 == 0 ? 0 : 1UL << i;
        }

        Tensor half = values.to(ScalarType.BFloat16);
        Assert.Equal(expected, BFloat16Format.NonZeroMask64(Internal.Vectors.RawMemory.Address(half)));
        Assert.Equal(expected, Float32Format.NonZeroMask64(Internal.Vectors.RawMemory.Address(values)));
    }
}
