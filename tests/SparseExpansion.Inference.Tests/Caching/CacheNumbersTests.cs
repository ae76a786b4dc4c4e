using CsCheck;
using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Inference.Caching;

public sealed unsafe class CacheNumbersTests
{
    [Fact]
    public void Write_AnyNumbers_AreReadBackWithinTheFormatsError() =>
        Gen.Select(Gen.Float[-100, 100].Array[1, 40], Gen.Enum<CacheFormat>()).Sample((numbers, format) =>
        {
            float largest = numbers.Max(MathF.Abs);
            float[] read = Read(numbers, format);
            for (int i = 0; i < numbers.Length; i++)
            {
                // Half of a step: 8 bits of significand, or 127 steps up to the largest.
                float allowed = format switch
                {
                    CacheFormat.Float32 => 0,
                    CacheFormat.BFloat16 => (MathF.Abs(numbers[i]) / 256) + 1e-40f, // Steps of subnormals stay.
                    _ => (largest / 127 * 0.5001f) + 1.3e-35f, // Smaller heads are stored as zeros.
                };
                Assert.InRange(read[i] - numbers[i], -allowed, allowed);
            }
        });

    [Theory]
    [InlineData(0f)]
    [InlineData(1e-40f)]
    public void Write_TinyNumbersAsBytes_AreTiny(float number) =>
        Assert.All(Read([number, -number], CacheFormat.Int8), x => Assert.InRange(x, -1e-37f, 1e-37f));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Write_NotFinite_IsNeverFiniteAgain(float number)
    {
        foreach (CacheFormat format in Enum.GetValues<CacheFormat>())
        {
            Assert.False(float.IsFinite(Read([1, number, 2], format)[1]), format.ToString());
        }
    }

    private static float[] Read(float[] numbers, CacheFormat format)
    {
        var layout = new PageLayout(1, numbers.Length, format);
        byte[] target = new byte[layout.TokenBytes];
        float scale = 1;
        fixed (float* source = numbers)
        fixed (byte* stored = target)
        {
            CacheNumbers.Write(layout, source, stored, &scale);
            float[] read = new float[numbers.Length];
            for (int i = 0; i < read.Length; i++)
            {
                read[i] = scale * format switch
                {
                    CacheFormat.Float32 => Float32Format.Load(stored, i),
                    CacheFormat.BFloat16 => BFloat16Format.Load(stored, i),
                    _ => Int8Format.Load(stored, i),
                };
            }

            return read;
        }
    }
}
