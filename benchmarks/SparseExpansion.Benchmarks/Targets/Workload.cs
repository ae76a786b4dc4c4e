using SparseExpansion.Analysis;
using SparseExpansion.Execution;
using SparseExpansion.Layers;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>Random weights with random unstructured masks.</summary>
public static class Workload
{
    /// <summary>A packed weight of the given sparsity.</summary>
    public static PackedWeight Pack(int rows, int columns, double sparsity, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(rows, columns);
        Tensor kept = rand(rows, columns) >= Scalars.Of(sparsity);
        return PackedWeight.Pack((weight * kept).to(dtype));
    }

    /// <summary>A mixture of packed experts with a random linear router, each in its own memory.</summary>
    public static SparseMixtureLayer Mixture(PackedWeight expert, int count)
    {
        using var scope = NewDisposeScope();
        Tensor dense = expert.Unpack();
        var experts = PackedExperts.Of(
            [expert, .. Enumerable.Range(1, count - 1).Select(_ => PackedWeight.Pack(dense))]);
        var router = new LinearRouter(randn(count, expert.Columns), zeros(count));
        return new SparseMixtureLayer("layer", new SharedRouter(router), experts, bias: null);
    }

    /// <summary>The torch layer that a case is compared with.</summary>
    public static void DenseLinear(Tensor tokens, Tensor weight)
    {
        using Tensor output = nn.functional.linear(tokens, weight);
    }
}
