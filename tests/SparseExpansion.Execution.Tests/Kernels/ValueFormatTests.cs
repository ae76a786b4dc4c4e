using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

public sealed unsafe class ValueFormatTests
{
    // An odd address: mapped files give no better.
    private const int Misalignment = 1;

    [Fact]
    public void Load_AllHalves_EqualsTheRuntimesConversion() => CheckAll<Float16Format, ushort>(
        [.. Enumerable.Range(0, 65536).Select(bits => (ushort)bits)], bits => (float)BitConverter.UInt16BitsToHalf(bits));

    [Fact]
    public void Load_AllBFloat16_IsTheUpperHalfOfASingle() => CheckAll<BFloat16Format, ushort>(
        [.. Enumerable.Range(0, 65536).Select(bits => (ushort)bits)], bits => BitConverter.UInt32BitsToSingle((uint)bits << 16));

    [Fact]
    public void Load_AllBytes_AreSigned() => CheckAll<Int8Format, sbyte>(
        [.. Enumerable.Range(0, 256).Select(bits => (sbyte)bits)], value => value);

    private static void CheckAll<TFormat, T>(T[] stored, Func<T, float> meaning)
        where TFormat : struct, IValueFormat
        where T : unmanaged
    {
        Assert.Equal(sizeof(T), TFormat.Size);
        byte[] memory = new byte[(stored.Length * sizeof(T)) + Misalignment];
        float[] expected = [.. stored.Select(meaning)];
        fixed (byte* start = memory)
        {
            byte* source = start + Misalignment;
            stored.CopyTo(new Span<T>(source, stored.Length));
            for (int i = 0; i < stored.Length; i += 16)
            {
                for (int j = 0; j < 16; j++)
                {
                    Assert.Equal(expected[i + j], TFormat.Load(source, i + j));
                    Assert.Equal(expected[i + j], TFormat.Load4(source, i + (j & ~3))[j & 3]);
                    Assert.Equal(expected[i + j], TFormat.Load8(source, i + (j & ~7))[j & 7]);
                    Assert.Equal(expected[i + j], TFormat.Load16(source, i)[j]);
                }
            }
        }
    }
}
