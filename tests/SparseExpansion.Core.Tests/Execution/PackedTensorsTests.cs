using CsCheck;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

public sealed class PackedTensorsTests
{
    [Fact]
    public void Unpack_AfterPack_IsBitExact() => ExecutionCase.Generator.Sample(
        problem =>
        {
            using var scope = NewDisposeScope();
            Tensor weight = problem.Weight();
            using PackedWeight packed = PackedWeight.Pack(weight);
            Tensor back = packed.Unpack();
            Assert.Equal(weight.dtype, back.dtype);
            Assert.True(weight.equal(back).all().item<bool>());
            Assert.Equal(weight.count_nonzero().item<long>(), packed.NonZeroCount);
        },
        iter: 100, threads: 1);

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Unpack_SpecialValues_KeepsAllButZeros(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Tensor weight = tensor([0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e-38f, -1e-38f, 3f]).reshape(2, 4).to(dtype);
        using PackedWeight packed = PackedWeight.Pack(weight);
        Assert.Equal(6, packed.NonZeroCount);
        Tensor back = packed.Unpack();
        int size = (int)weight.element_size();
        Assert.All(new byte[2 * size], (_, i) => Assert.Equal(0, back.bytes[i]));
        Assert.True(weight.bytes[(2 * size)..].SequenceEqual(back.bytes[(2 * size)..]));
    }

    [Fact]
    public void Pack_TransposedWeight_FollowsStrides()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(70, 30).t();
        using PackedWeight packed = PackedWeight.Pack(weight);
        Assert.True(weight.equal(packed.Unpack()).all().item<bool>());
    }

    [Fact]
    public void StoredBytes_HalfSparseFloat32_NeedsLittleMoreThanValuesAndOneBit()
    {
        using Tensor weight = randn(512, 1024) * (rand(512, 1024) >= Scalars.Of(0.5));
        using PackedWeight packed = PackedWeight.Pack(weight);
        Assert.InRange(packed.StoredBytes / (512.0 * 1024), 2.1, 2.2);
    }

    /// <summary>
    /// Two panels and two blocks: values with 64 of padding, masks with 8 bytes
    /// of it, the row of each piece, three offsets.
    /// </summary>
    [Fact]
    public void StoredBytes_SmallWeight_CountsEveryArray()
    {
        using Tensor weight = ones(129, 129);
        using PackedWeight packed = PackedWeight.Pack(weight);
        Assert.Equal(128, packed.Arrays.BlockColumns);
        Assert.Equal((4 * ((129 * 129) + 64)) + (129 * 2 * 16) + 8 + (129 * 2) + (3 * 8), packed.StoredBytes);
        Assert.Equal(0, packed.Sparsity);
        Assert.Equal(0, packed.DerivedBytes);
        using Tensor half = ones(2, 64).to(ScalarType.BFloat16) * tensor(new float[] { 0, 1, 1, 1 }).repeat(16).to(ScalarType.BFloat16);
        using PackedWeight sparse = PackedWeight.Pack(half);
        Assert.Equal((2 * (96 + 64)) + (2 * 8) + 8 + 2 + (2 * 8), sparse.StoredBytes);
        Assert.Equal(0.25, sparse.Sparsity);
    }

    [Fact]
    public void FromArrays_OwnArrays_GivesTheSameWeight()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(300, 200) * (rand(300, 200) >= Scalars.Of(0.7));
        using PackedWeight packed = PackedWeight.Pack(weight);
        using PackedWeight again = PackedWeight.FromArrays(Clone(StoredTensors.Of(packed)).ToArrays());
        Assert.Equal(packed.NonZeroCount, again.NonZeroCount);
        Assert.True(weight.equal(again.Unpack()).all().item<bool>());
    }

    [Fact]
    public void FromArrays_DamagedArrays_Throws()
    {
        using var scope = NewDisposeScope();
        using PackedWeight packed = PackedWeight.Pack(randn(300, 200) * (rand(300, 200) >= Scalars.Of(0.7)));
        var damages = new List<Func<StoredTensors, StoredTensors>>
        {
            a => a with { Rows = 299 },
            a => a with { Columns = 257 },
            a => a with { Columns = 150 },
            a => a with { BlockColumns = 100 },
            a => a with { PanelRows = 0 },
            a => a with { PanelRows = 512 },
            a => a with { Values = a.Values.narrow(0, 0, a.Values.numel() - 1).contiguous() },
            a => a with { Values = a.Values.to(ScalarType.Float64) },
            a => a with { Masks = a.Masks.narrow(0, 0, a.Masks.numel() - 1).contiguous() },
            a => a with { Masks = a.Masks.index_fill(0, tensor([3L]), Scalars.Of(255)) },
            a => a with { RowOrder = zeros_like(a.RowOrder) },
            a => a with { RowOrder = a.RowOrder.index_fill(0, tensor([3L]), Scalars.Of(255)) },
            a => a with { PanelOffsets = a.PanelOffsets.Plus(1) },
        };
        foreach (Func<StoredTensors, StoredTensors> damage in damages)
        {
            StoredTensors damaged = damage(Clone(StoredTensors.Of(packed)));
            Assert.Throws<CheckpointException>(() => PackedWeight.FromArrays(damaged.ToArrays()));
        }
    }

    [Fact]
    public void Pack_BadInput_Throws()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentNullException>(() => PackedWeight.Pack(null!));
        Assert.Throws<ArgumentException>(() => PackedWeight.Pack(randn(3)));
        Assert.Throws<ArgumentException>(() => PackedWeight.Pack(randn(0, 3)));
        Assert.Throws<ArgumentException>(() => PackedWeight.Pack(randn(3, 3).to(ScalarType.Float64)));
    }

    [Fact]
    public void Multiply_BadInput_Throws()
    {
        using var scope = NewDisposeScope();
        PackedWeight packed = PackedWeight.Pack(randn(4, 6));
        Assert.Throws<ArgumentNullException>(() => packed.Multiply(null!));
        Assert.Throws<ArgumentException>(() => packed.Multiply(randn(2, 5)));
        Assert.Throws<ArgumentException>(() => packed.Multiply(randn(2, 6), randn(5)));
        Assert.Throws<ArgumentException>(() => packed.Multiply(randn(2, 6).to(ScalarType.Float64)));
        packed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => packed.Multiply(randn(2, 6)));
        Assert.Throws<ObjectDisposedException>(() => packed.Unpack());
    }

    [Fact]
    public void Multiply_BatchedTokens_KeepsLeadingDimensions()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(7, 6);
        Tensor tokens = randn(2, 3, 6);
        using PackedWeight packed = PackedWeight.Pack(weight);
        Tensor output = packed.Multiply(tokens);
        Assert.Equal([2, 3, 7], output.shape);
        Assert.True(output.allclose(nn.functional.linear(tokens, weight), 1e-4, 1e-5));
        Assert.Equal([0, 7], packed.Multiply(randn(0, 6)).shape);
    }

    /// <summary>Memory that libtorch has not made serves tensors as well.</summary>
    [Fact]
    public void Multiply_WeightPackedFromASpan_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(70, 130) * rand(70, 130).ge(Scalars.Of(0.5)), tokens = randn(9, 130);
        using PackedWeight packed = PackedWeight.Pack(weight), native = PackedWeight.Pack(weight.data<float>().ToArray(), 70, 130);

        Assert.True(packed.Multiply(tokens).bytes.SequenceEqual(native.Multiply(tokens).bytes));
        Assert.True(weight.equal(native.Unpack()).all().item<bool>());
        Assert.Null(native.Quantization);
    }

    [Fact]
    public void PackMultiplyUnpack_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor weight = randn(20, 30);
        using Tensor tokens = randn(3, 30);
        using Tensor bias = randn(20);
        using PackedWeight packed = PackedWeight.Pack(weight);
        using Tensor output = packed.Multiply(tokens, bias);
        using Tensor dense = packed.Unpack();
    });

    [Fact]
    public void Multiply_Fails_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor tokens = randn(3, 30);
        PackedWeight packed = PackedWeight.Pack(new float[20 * 30], 20, 30);
        packed.Dispose();

        Assert.Throws<ObjectDisposedException>(() => packed.Multiply(tokens));
    });

    private static StoredTensors Clone(StoredTensors arrays) => arrays with
    {
        Values = arrays.Values.clone(),
        Masks = arrays.Masks.clone(),
        RowOrder = arrays.RowOrder.clone(),
        PanelOffsets = arrays.PanelOffsets.clone(),
    };
}
