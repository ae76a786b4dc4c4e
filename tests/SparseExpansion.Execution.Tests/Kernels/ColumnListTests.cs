namespace SparseExpansion.Execution.Kernels;

public sealed unsafe class ColumnListTests
{
    private const int Pieces = 9;

    public static TheoryData<int, double, bool> Cases()
    {
        var data = new TheoryData<int, double, bool>();
        foreach (int columns in (int[])[64, 128, 192, 256])
        {
            foreach (double density in (double[])[0, 0.03, 0.5, 1])
            {
                data.Add(columns, density, false);
                data.Add(columns, density, true);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Of_AnyMasks_ListsTheirColumnsAndClearsWhatFollows(int columns, double density, bool wide)
    {
        Assert.SkipWhen(
            wide && !InstructionSets.IsSupported(InstructionSet.Avx512), "This processor has no AVX-512 of that kind.");
        var random = new Random(columns);
        bool[] bits = [.. Enumerable.Range(0, Pieces * columns).Select(_ => random.NextDouble() < density)];
        byte[] masks = new byte[bits.Length / 8];
        for (int i = 0; i < bits.Length; i++)
        {
            masks[i / 8] |= (byte)(bits[i] ? 1 << (i % 8) : 0);
        }

        int[] set = [.. Enumerable.Range(0, bits.Length).Where(i => bits[i])];
        byte[] list = new byte[set.Length + ColumnList.Padding];
        Array.Fill(list, (byte)77);
        var counts = new ushort[Pieces];
        fixed (byte* from = masks, to = list)
        {
            fixed (ushort* number = counts)
            {
                ColumnList.Of(from, Pieces, columns, to, number, wide);
            }
        }

        Assert.Equal(set.Select(i => (byte)(i % columns)).Concat(new byte[ColumnList.Padding]), list);
        Assert.Equal(
            Enumerable.Range(0, Pieces).Select(piece => (ushort)set.Count(i => i / columns == piece)), counts);
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(ulong.MaxValue)]
    [InlineData(0x8001_0000_FF00_0103ul)]
    public void Ends_AWord_CountsUpToEachByte(ulong word)
    {
        ulong masks = word;
        ulong ends = MaskBits.Ends((byte*)&masks);

        Assert.Equal(
            Enumerable.Range(1, 8).Select(bytes => (ulong)System.Numerics.BitOperations.PopCount(word << (64 - (8 * bytes)))),
            Enumerable.Range(0, 8).Select(i => (ends >> (8 * i)) & 255));
    }
}
