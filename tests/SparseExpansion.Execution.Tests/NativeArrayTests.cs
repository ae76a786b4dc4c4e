namespace SparseExpansion.Execution;

public sealed class NativeArrayTests
{
    [Fact]
    public void Span_OfItsElements_ReadsAndWrites()
    {
        using NativeArray array = NativeArray.Allocate(10, ElementType.Int64);
        array.Span<long>(0, 10).Fill(3);
        array.Span<long>(4, 2)[1] = 5;

        Assert.Equal([3, 3, 3, 3, 3, 5, 3, 3, 3, 3], array.Span<long>(0, 10).ToArray());
        Assert.Equal((10L, 80L), (array.Length, array.ByteLength));
        Assert.Equal(0, array.Address % 64);
    }

    [Fact]
    public void Span_OutsideOrOfAnotherSize_IsRefused()
    {
        using NativeArray array = NativeArray.Allocate(10, ElementType.BFloat16);
        Assert.Throws<ArgumentException>(() => array.Span<float>(0, 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Span<ushort>(-1, 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Span<ushort>(0, -1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Span<ushort>(4, 7).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => NativeArray.Allocate(-1, ElementType.Byte));
    }

    [Theory]
    [InlineData((1L << 62) + 1, ElementType.Float32)]
    [InlineData(1L << 61, ElementType.Int64)]
    [InlineData(long.MaxValue, ElementType.BFloat16)]
    public void Allocate_MoreBytesThanAddresses_IsRefused(long length, ElementType type)
    {
        Assert.Throws<ArgumentOutOfRangeException>(nameof(length), () => NativeArray.Allocate(length, type));
        Assert.Throws<ArgumentOutOfRangeException>(nameof(length), () => new NativeArray(0, length, type, null));
    }

    [Theory]
    [InlineData(ElementType.Byte, 1)]
    [InlineData(ElementType.Int8, 1)]
    [InlineData(ElementType.Bool, 1)]
    [InlineData(ElementType.Int16, 2)]
    [InlineData(ElementType.Float16, 2)]
    [InlineData(ElementType.BFloat16, 2)]
    [InlineData(ElementType.Int32, 4)]
    [InlineData(ElementType.Float32, 4)]
    [InlineData(ElementType.Int64, 8)]
    [InlineData(ElementType.Float64, 8)]
    public void ByteLength_OfEveryType_CountsItsBytes(ElementType type, int size)
    {
        using NativeArray array = NativeArray.Allocate(3, type);

        Assert.Equal(3 * size, array.ByteLength);
    }
}
