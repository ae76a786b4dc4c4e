using CsCheck;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

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

    /// <summary>Sorted, constant in stretches, and periodic: samples of these may mislead, but never the result.</summary>
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
