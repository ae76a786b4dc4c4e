using SparseExpansion.Execution;
using TorchSharp;
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
        Tensor kept = rand(rows, columns) >= sparsity;
        return PackedWeight.Pack((weight * kept).to(dtype));
    }

    /// <summary>The same weight in memory of its own.</summary>
    public static PackedWeight Copy(PackedWeight weight)
    {
        using Tensor dense = weight.Unpack();
        return PackedWeight.Pack(dense);
    }

    /// <summary>The torch layer that a case is compared with.</summary>
    public static void DenseLinear(Tensor tokens, Tensor weight)
    {
        using Tensor output = nn.functional.linear(tokens, weight);
    }
}
