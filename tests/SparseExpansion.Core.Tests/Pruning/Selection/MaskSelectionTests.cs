using CsCheck;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Selection;

public sealed class MaskSelectionTests
{
    /// <summary>Scores of few different values, so that ties abound.</summary>
    private static readonly Gen<float> TiedScore = Gen.Int[-6, 6].Select(value => value * 0.25f);

    private static readonly Gen<float> AnyScore = Gen.Float[float.MinValue, float.MaxValue].Select(value => value);

    [Fact]
    public void Smallest_AnyScores_MarksStableOrder() =>
        Gen.Select(Gen.OneOf(TiedScore, AnyScore).Array[1, 300], Gen.Double[0, 1]).Sample(
            (scores, share) =>
            {
                using var scope = NewDisposeScope();
                long count = (long)(scores.Length * share);
                bool[] expected = Reference(scores, (int)count);
                Tensor sets = tensor(scores, [1, scores.Length]);
                Assert.Equal(expected, MaskSelection.Smallest(sets, count).data<bool>().ToArray());
                Assert.Equal(expected, MaskSelection.SmallestBySort(sets, count).data<bool>().ToArray());
            },
            iter: 300);

    [Theory]
    [InlineData(1, 20_000, 0.5)]
    [InlineData(1, 70_001, 0.013)]
    [InlineData(3, 5_000, 0.9)]
    [InlineData(500, 129, 0.7)]
    public void Smallest_LargeSets_EqualsStableSort(int sets, int size, double share) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor scores = randn(sets, size).mul_(Scalars.Of(40)).round().div_(Scalars.Of(40));
        long count = (long)(size * share);
        AssertSame(MaskSelection.SmallestBySort(scores, count), MaskSelection.Smallest(scores, count));
    });

    /// <summary>
    /// Sorted, constant in stretches, and periodic: samples of these may mislead, but never the result.
    /// </summary>
    [Theory]
    [InlineData(0.001)]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.9999)]
    public void Smallest_OrderedScores_EqualsStableSort(double share)
    {
        using var scope = NewDisposeScope();
        Tensor index = TensorArithmetic.Range(200_000, ScalarType.Float32);
        Tensor[] orders = [index, index.flip(0), index.remainder(Scalars.Of(17)), index.remainder(Scalars.Of(8193)), index.div(Scalars.Of(50_000), RoundingMode.floor), zeros_like(index), index.sub(Scalars.Of(70_000))];
        Assert.All(orders, scores =>
        {
            Tensor sets = scores.unsqueeze(0);
            AssertSame(MaskSelection.SmallestBySort(sets, (long)(200_000 * share)), MaskSelection.Smallest(sets, (long)(200_000 * share)));
        });
    }

    /// <summary>
    /// The rest behind the last whole vector counts: as numbers below the
    /// limit, as candidates for it, and as those above.
    /// </summary>
    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(65_551)]
    public void Smallest_SizesAroundAVector_EqualsStableSort(int size)
    {
        using var scope = NewDisposeScope();
        Tensor index = TensorArithmetic.Range(size).to(ScalarType.Float32);
        Tensor[] orders = [index, index.flip(0).neg(), index.Plus(size / 2L).remainder(Scalars.Of(size))];
        Assert.All(orders, scores =>
        {
            Tensor sets = scores.unsqueeze(0);
            AssertSame(MaskSelection.SmallestBySort(sets, size / 2), MaskSelection.Smallest(sets, size / 2));
        });
    }

    /// <summary>
    /// Of 200000 numbers every 25th is looked at first: here those are all the highest, or all the lowest, and say
    /// nothing of the others.
    /// </summary>
    [Theory]
    [InlineData(0.02)]
    [InlineData(0.5)]
    [InlineData(0.98)]
    public void Smallest_SampleMisleads_EqualsStableSort(double share)
    {
        using var scope = NewDisposeScope();
        Tensor index = TensorArithmetic.Range(200_000).to(ScalarType.Float32), far = index.Plus(1_000_000L);
        Tensor looked = index.remainder(Scalars.Of(25)).eq(Scalars.Of(0));
        Assert.All(new[] { where(looked, far, index), where(looked, index, far) }, scores =>
        {
            Tensor sets = scores.unsqueeze(0);
            AssertSame(MaskSelection.SmallestBySort(sets, (long)(200_000 * share)), MaskSelection.Smallest(sets, (long)(200_000 * share)));
        });
    }

    [Theory]
    [InlineData(SparsityScope.Layer)]
    [InlineData(SparsityScope.Row)]
    [InlineData(SparsityScope.ColumnBlock)]
    public void Select_AnyShape_PrunesExactlyFloorInEveryScope(SparsityScope sparsityScope) =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 300], Gen.Double[0, 0.999], Gen.Bool).Sample(
            (rows, columns, sparsity, tied) =>
            {
                using var scope = NewDisposeScope();
                Tensor scores = tied ? ones(2, rows, columns) : rand(2, rows, columns);
                Tensor mask = MaskSelection.Select(scores, sparsity, sparsityScope);
                foreach (Tensor set in Scopes(mask, sparsityScope))
                {
                    Assert.Equal((long)Math.Floor(set.numel() * sparsity), set.count_nonzero().item<long>());
                }
            },
            iter: 60);

    [Theory]
    [InlineData(2, 4)]
    [InlineData(1, 3)]
    [InlineData(4, 8)]
    [InlineData(10, 24)]
    [InlineData(3, 3)]
    public void SelectGroups_AnyScores_KeepsTheHighest(int keep, int groupSize)
    {
        using var scope = NewDisposeScope();
        Tensor scores = rand(2, 5, groupSize * 7);
        Tensor mask = MaskSelection.SelectGroups(scores, keep, groupSize).reshape(-1, groupSize);
        Assert.True(mask.sum(1).eq(Scalars.Of(groupSize - keep)).all().item<bool>());
        Tensor groups = scores.reshape(-1, groupSize);
        Tensor highestPruned = groups.masked_fill(mask.logical_not(), Scalars.Of(-1)).amax([1L]);
        Tensor lowestKept = groups.masked_fill(mask, Scalars.Of(2)).amin([1L]);
        Assert.True(highestPruned.lt(lowestKept).all().item<bool>());
    }

    [Fact]
    public void Select_ZeroSparsity_PrunesNothing()
    {
        using var scope = NewDisposeScope();
        Tensor mask = MaskSelection.Select(zeros(4, 8), SparsityTarget.Unstructured(0), SparsityScope.Row);
        Assert.Equal(0, mask.count_nonzero().item<long>());
    }

    /// <summary>7 of 3 x 10: the first row loses one more.</summary>
    [Fact]
    public void Select_ExactCountOverRows_FirstRowsLoseOneMore()
    {
        using var scope = NewDisposeScope();
        Tensor mask = MaskSelection.Select(Rising(3, 10), SparsityTarget.Exactly(7, 30, SparsityScope.Row), SparsityScope.Layer);
        Assert.Equal([3, 2, 2], mask.sum([1L]).data<long>().ToArray());
        Assert.True(mask[0, 2].item<bool>() && mask[1, 1].item<bool>() && mask[2, 1].item<bool>());
        Tensor even = MaskSelection.Select(Rising(3, 10), SparsityTarget.Exactly(6, 30, SparsityScope.Row), SparsityScope.Layer);
        Assert.Equal([2, 2, 2], even.sum([1L]).data<long>().ToArray());
        Tensor few = MaskSelection.Select(Rising(3, 10), SparsityTarget.Exactly(2, 30, SparsityScope.Row), SparsityScope.Layer);
        Assert.Equal([1, 1, 0], few.sum([1L]).data<long>().ToArray());
    }

    /// <summary>
    /// 301 of 3 x 300: blocks of 128, 128 and 44 columns have lost 128, 256 and
    /// 301 in all at their ends, the lowest of each.
    /// </summary>
    [Fact]
    public void Select_ExactCountOverColumnBlocks_SharesItOut()
    {
        using var scope = NewDisposeScope();
        Tensor scores = Rising(3, 300), mask = MaskSelection.Select(scores, SparsityTarget.Exactly(301, 900), SparsityScope.ColumnBlock);
        Assert.Equal([128, 128, 45], mask.split(128, 1).Select(block => block.count_nonzero().item<long>()));
        Assert.True(mask.narrow(1, 0, 128).select(0, 0).all().item<bool>() && !mask.narrow(1, 0, 128).select(0, 1).any().item<bool>());
        Tensor layer = MaskSelection.Select(scores, SparsityTarget.Exactly(301, 900, SparsityScope.Layer), SparsityScope.Row);
        Assert.Equal(301, layer.count_nonzero().item<long>());
        Assert.True(layer.select(0, 0).all().item<bool>() && layer[1, 0].item<bool>());
    }

    [Fact]
    public void Select_TargetsOfExperts_EachGetsItsOwn()
    {
        using var scope = NewDisposeScope();
        Tensor scores = Rising(2, 2, 8);
        Tensor mask = MaskSelection.Select(scores, [SparsityTarget.Unstructured(0.25), SparsityTarget.NM(1, 4)], SparsityScope.Row);
        Assert.Equal([4, 12], mask.sum([1L, 2L]).data<long>().ToArray());
        Tensor same = MaskSelection.Select(scores, [SparsityTarget.NM(1, 4), SparsityTarget.NM(1, 4)], SparsityScope.Row);
        Assert.Equal([12, 12], same.sum([1L, 2L]).data<long>().ToArray());
        Assert.Equal(SparsityScope.Row, MaskSelection.Resolve(SparsityScope.PrunerDefault, SparsityScope.Row));
        Assert.Equal(SparsityScope.Layer, MaskSelection.Resolve(SparsityScope.Layer, SparsityScope.Row));
        Assert.Throws<ArgumentOutOfRangeException>("scope", () => MaskSelection.Select(scores, 0.5, (SparsityScope)77));
    }

    private static Tensor Rising(params long[] shape) => TensorArithmetic.Range(shape.Aggregate(1L, (n, size) => n * size)).to(ScalarType.Float32).reshape(shape);

    private static bool[] Reference(float[] scores, int count)
    {
        var marks = new bool[scores.Length];
        foreach (int index in Enumerable.Range(0, scores.Length).OrderBy(i => Math.Abs(scores[i])).ThenBy(i => i).Take(count))
        {
            marks[index] = true;
        }

        return marks;
    }

    private static IEnumerable<Tensor> Scopes(Tensor mask, SparsityScope sparsityScope) => mask.unbind(0).SelectMany(layer => sparsityScope switch
    {
        SparsityScope.Row => layer.unbind(0),
        SparsityScope.ColumnBlock => layer.split(SparsityTarget.ColumnBlockSize, 1),
        _ => [layer],
    });

    private static void AssertSame(Tensor expected, Tensor actual)
    {
        using Tensor same = expected.eq(actual);
        using Tensor all = same.all();
        Assert.True(all.item<bool>());
    }
}
