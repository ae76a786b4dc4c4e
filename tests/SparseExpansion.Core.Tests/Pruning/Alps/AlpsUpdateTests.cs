using CsCheck;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

/// <summary>The passes over host memory against the same formulas in tensors.</summary>
public sealed class AlpsUpdateTests
{
    private static readonly Gen<(int Experts, int Rows, int Columns, int Seed)> Shape = Gen.Select(Gen.Int[1, 3], Gen.Int[1, 9], Gen.Int[1, 100], Gen.Int[0, 1000]);

    [Fact]
    public void Step_AnyShape_IsPrunedLessDualLessDense() => LeakCheck.NoTensorsLeft(() => Shape.Sample(
        shape =>
        {
            using var scope = NewDisposeScope();
            (Tensor state, Tensor pruned, Tensor dense) = Problem(shape);
            Tensor expected = where(pruned, state * Scalars.Of(-0.75), state) - dense;
            Assert.True(TensorChecks.Equal(expected, AlpsUpdate.Step(state, pruned, dense, 0.75f, ScalarType.Float32)));
            Assert.True(TensorChecks.Equal(expected.to(ScalarType.BFloat16), AlpsUpdate.Step(state, pruned, dense, 0.75f, ScalarType.BFloat16)));
        },
        iter: 100));

    [Fact]
    public void Advance_AnyShape_IsDualPlusDensePlusProduct() => LeakCheck.NoTensorsLeft(() => Shape.Sample(
        shape =>
        {
            using var scope = NewDisposeScope();
            (Tensor state, Tensor pruned, Tensor dense) = Problem(shape);
            Tensor product = randn_like(state).to(ScalarType.BFloat16), host = state.clone(), tensors = state.clone();
            Tensor expected = where(pruned, state * Scalars.Of(0.75), zeros_like(state)).Plus(dense).Plus(product.to(ScalarType.Float32));
            AlpsUpdate.Advance(host, pruned, dense, 0.75f, product);
            AlpsUpdate.Advance(tensors, pruned, dense, 0.75f, product.to(ScalarType.Float32));
            Assert.True(TensorChecks.Equal(expected, host));
            Assert.True(TensorChecks.Equal(expected, tensors));
        },
        iter: 100));

    [Fact]
    public void Combine_AnyShape_IsTheWeightedSum() => LeakCheck.NoTensorsLeft(() => Shape.Sample(
        shape =>
        {
            using var scope = NewDisposeScope();
            Tensor[] parts = [.. Enumerable.Range(0, 3).Select(_ => randn(shape.Experts, shape.Rows, shape.Columns).to(ScalarType.BFloat16))];
            Tensor[] wide = [.. parts.Select(part => part.to(ScalarType.Float32))];
            Tensor expected = AlpsUpdate.Combine(wide[0], 1.5, wide[1], -0.75, wide[2], 0.25);
            Assert.True(expected.allclose(((wide[0] * Scalars.Of(1.5)) - (wide[1] * Scalars.Of(0.75))).Plus(wide[2] * Scalars.Of(0.25)), 1e-5, 1e-6));
            Assert.True(AlpsUpdate.Combine(parts[0], 1.5, parts[1], -0.75, parts[2], 0.25).to(ScalarType.Float32).allclose(expected, 1.0 / 128, 1e-5));
        },
        iter: 100));

    [Fact]
    public void Changes_AnyShape_CountsThemForEachExpert() => LeakCheck.NoTensorsLeft(() => Shape.Sample(
        shape =>
        {
            using var scope = NewDisposeScope();
            Tensor before = rand(shape.Experts, shape.Rows, shape.Columns).gt(Scalars.Of(0.5)), after = rand(shape.Experts, shape.Rows, shape.Columns).gt(Scalars.Of(0.5));
            Assert.Equal(before.ne(after).sum([1L, 2L]).data<long>().ToArray(), AlpsUpdate.Changes(before, after));
            Assert.All(AlpsUpdate.Changes(before, before), count => Assert.Equal(0, count));
        },
        iter: 100));

    private static (Tensor State, Tensor Pruned, Tensor Dense) Problem((int Experts, int Rows, int Columns, int Seed) shape)
    {
        random.manual_seed(shape.Seed);
        return (randn(shape.Experts, shape.Rows, shape.Columns), rand(shape.Experts, shape.Rows, shape.Columns).gt(Scalars.Of(0.4)), randn(shape.Experts, shape.Rows, shape.Columns));
    }
}
