using CsCheck;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Packed weights whose values are codes.</summary>
public sealed class QuantizedPackedWeightTests
{
    private static Gen<WeightQuantization> Quantizations { get; } =
        from bits in Gen.OneOf(Gen.Const(2), Gen.Const(3), Gen.Const(4), Gen.Const(8))
        from groupSize in Gen.OneOf(Gen.Const((int?)null), Gen.Const<int?>(64), Gen.Const<int?>(128))
        select new WeightQuantization { Bits = bits, GroupSize = groupSize };

    [Theory]
    [MemberData(nameof(KernelTests.Paths), MemberType = typeof(KernelTests))]
    public void Multiply_EveryKernel_EqualsDoublePrecision(string instructions, string kernel, bool bfloat16Tokens)
    {
        var set = Enum.Parse<InstructionSet>(instructions);
        Assert.SkipUnless(InstructionSets.IsSupported(set), $"This processor has no {set}.");
        var options = new ExecutionOptions(Enum.Parse<KernelKind>(kernel), set);
        ScalarType tokenType = bfloat16Tokens ? ScalarType.BFloat16 : ScalarType.Float32;
        Gen.Select(ExecutionCase.Generator, Quantizations).Sample(
            (problem, quantization) =>
            {
                using var scope = NewDisposeScope();
                (Tensor weight, QuantizationGrid grid) = Rounded(problem, quantization);
                Tensor tokens = problem.StridedTokens(tokenType);
                Tensor? bias = problem.Bias();
                using PackedWeight packed = PackedWeight.Pack(weight, grid);
                Tensor output = PackedProduct.Multiply(packed, tokens, bias, options);
                ExecutionCase.AssertNear(ExecutionCase.Reference(tokens, weight, bias), output);
                grid.Dispose();
            },
            iter: 25,
            threads: 1);
    }

    [Fact]
    public void Unpack_EveryInstructionSet_GivesTheSameBits() => Gen.Select(ExecutionCase.Generator, Quantizations).Sample(
        (problem, quantization) =>
        {
            using var scope = NewDisposeScope();
            (Tensor weight, QuantizationGrid grid) = Rounded(problem, quantization);
            using PackedWeight packed = PackedWeight.Pack(weight, grid);
            grid.Dispose();
            Assert.Equal(weight.count_nonzero().item<long>(), packed.NonZeroCount);
            foreach (InstructionSet set in Enum.GetValues<InstructionSet>().Where(InstructionSets.IsSupported))
            {
                Tensor dense = full_like(weight, Scalars.Of(7));
                UnpackAll(packed, dense, set);
                Assert.True(dense.eq(weight).all().item<bool>(), $"{set}: {quantization}");
            }
        },
        iter: 60,
        threads: 1);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    public void Pack_BFloat16Weight_FindsTheCodesThatItCanTell(int bits) => Gen.Int[0, 10_000].Sample(
        seed =>
        {
            using var scope = NewDisposeScope();
            using Generator generator = new((ulong)seed);
            Tensor weight = randn([40, 300], generator: generator);
            using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization { Bits = bits, GroupSize = null });
            Tensor exact = grid.Round(weight), rounded = exact.to(ScalarType.BFloat16);
            Assert.True(grid.Contains(rounded));
            using PackedWeight packed = PackedWeight.Pack(rounded, grid);
            Assert.Equal(ElementType.Float32, packed.DType);
            Tensor scale = grid.Scales.to(ScalarType.Float32), steps = ((packed.Unpack() - exact) / scale).round();
            Tensor far = (exact / scale).abs().gt(Scalars.Of(128));
            Assert.Equal(0, steps.masked_fill(far, Scalars.Of(0)).count_nonzero().item<long>());
            Assert.True(steps.abs().le(Scalars.Of(1)).all().item<bool>());
        },
        iter: 40,
        threads: 1);

    [Fact]
    public void Pack_TransposedScales_FollowsStrides()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(40, 192);
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization { Bits = 4, GroupSize = 64 });
        using QuantizationGrid transposed = new(grid.Quantization, grid.Columns, grid.Scales.t().contiguous().t(), grid.Zeros.t().contiguous().t());
        Tensor rounded = grid.Round(weight);

        using PackedWeight packed = PackedWeight.Pack(rounded, transposed);

        Assert.True(packed.Unpack().eq(rounded).all().item<bool>());
    }

    [Fact]
    public void Contains_ValuesBetweenCodes_IsFalse()
    {
        using var scope = NewDisposeScope();
        using QuantizationGrid grid = QuantizationGrid.Fit(linspace(-1, 1, 64).view(1, 64), new WeightQuantization { Bits = 4, GroupSize = null });
        Tensor between = grid.Round(full([1, 64], Scalars.Of(0.5f))).Plus(grid.Scales.to(ScalarType.Float32) / Scalars.Of(2));
        Assert.False(grid.Contains(between));
        Assert.False(grid.Contains(between.to(ScalarType.BFloat16)));
    }

    [Theory]
    [InlineData(4, 128, 0.40)]
    [InlineData(4, null, 0.38)]
    [InlineData(8, 128, 0.66)]
    [InlineData(8, null, 0.64)]
    [InlineData(3, null, 0.32)]
    [InlineData(2, 128, 0.28)]
    [InlineData(2, null, 0.26)]
    public void StoredBytes_HalfOfTheWeights_AreFewAndNothingIsDerived(int bits, int? group, double most)
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(1024, 1024) * rand(1024, 1024).lt(Scalars.Of(0.49));
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization { Bits = bits, GroupSize = group });
        using PackedWeight packed = PackedWeight.Pack(grid.Round(weight), grid);
        foreach (KernelKind kind in Enum.GetValues<KernelKind>())
        {
            PackedProduct.Multiply(packed, randn(40, 1024), null, new ExecutionOptions(kind));
        }

        Assert.InRange((packed.StoredBytes + packed.DerivedBytes) / (1024.0 * 1024.0), 0.15, most);
        Assert.Equal(bits, packed.Quantization!.Bits);
    }

    [Fact]
    public void Pack_BadInput_Throws()
    {
        using var scope = NewDisposeScope();
        using QuantizationGrid grid = QuantizationGrid.Fit(randn(4, 6), new WeightQuantization());
        Assert.Throws<ArgumentNullException>(() => PackedWeight.Pack(randn(4, 6), null!));
        Assert.Throws<ArgumentNullException>(() => PackedWeight.Pack(null!, grid));
        Assert.Throws<ArgumentException>(() => PackedWeight.Pack(randn(4, 5), grid));
        Assert.Contains("grid", Assert.Throws<ArgumentException>(() => PackedWeight.Pack(randn(4, 6), grid)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromArrays_DamagedArrays_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(140, 300);
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization());
        using PackedWeight packed = PackedWeight.Pack(grid.Round(weight), grid);
        StoredTensors good = StoredTensors.Of(packed);
        AssertDamaged(good with { Values = good.Values[..^1].clone() }, "padding");
        AssertDamaged(good with { Values = good.Values.to(ScalarType.Float32) }, "codes");
        AssertDamaged(good with { Values = zeros(3, ScalarType.Byte) }, "padding");
        AssertDamaged(good with { Masks = ones_like(good.Masks).mul_(Scalars.Of(255)) }, "column");
        AssertDamaged(good with { BlockColumns = 64 }, "groups");
        AssertDamaged(good with { Grid = Grid(141, 300) }, "scales");
        AssertDamaged(good with { Grid = Grid(140, 301) }, "scales");
        AssertDamaged(good with { Grid = null }, "values");

        static QuantizationGrid Grid(int rows, int columns) => QuantizationGrid.Fit(ones(rows, columns), new WeightQuantization());
    }

    [Fact]
    public void PackMultiplyUnpack_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor weight = randn(20, 30), tokens = randn(3, 30);
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization());
        using Tensor rounded = grid.Round(weight);
        using PackedWeight packed = PackedWeight.Pack(rounded, grid);
        using Tensor output = packed.Multiply(tokens);
        using Tensor dense = packed.Unpack();
    });

    private static void AssertDamaged(StoredTensors arrays, string what) =>
        Assert.Contains(what, Assert.Throws<CheckpointException>(() => PackedWeight.FromArrays(arrays.ToArrays())).Message, StringComparison.OrdinalIgnoreCase);

    private static unsafe void UnpackAll(PackedWeight packed, Tensor dense, InstructionSet set)
    {
        for (int panel = 0; panel < packed.Layout.PanelCount; panel++)
        {
            byte* target = Internal.Vectors.RawMemory.Address(dense) + (long)panel * packed.Layout.PanelRows * packed.Columns * sizeof(float);
            packed.UnpackPanel(panel, target, packed.Columns, set);
        }
    }

    private static (Tensor Weight, QuantizationGrid Grid) Rounded(ExecutionCase problem, WeightQuantization quantization)
    {
        using var scope = NewDisposeScope();
        Tensor weight = problem.Weight().to(ScalarType.Float32);
        QuantizationGrid grid = QuantizationGrid.Fit(weight, quantization);
        return (grid.Round(weight).MoveToOuterDisposeScope(), grid);
    }
}
