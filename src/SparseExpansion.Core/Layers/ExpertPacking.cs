using System.Globalization;
using SparseExpansion.Execution;
using SparseExpansion.Internal.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Packs experts of another storage.</summary>
internal static class ExpertPacking
{
    /// <summary>
    /// As codes where all experts still lie on their grids; otherwise, for example after training, as values.
    /// </summary>
    public static PackedExperts Pack(ExpertWeights experts, ScalarType dtype) =>
        PackCodes(experts, dtype)
            ?? new PackedExperts([.. Enumerable.Range(0, experts.Count).Select(e => PackOne(experts, e, dtype))], null);

    /// <summary>All experts as codes; null if one has no grid or has left it.</summary>
    private static PackedExperts? PackCodes(ExpertWeights experts, ScalarType dtype)
    {
        var packed = new List<PackedExpert>();
        for (int e = 0; e < experts.Count; e++)
        {
            if (PackCodesOfOne(experts, e) is not { } weight)
            {
                packed.ForEach(expert => expert.Dispose());
                return null;
            }

            packed.Add(new PackedExpert(weight));
        }

        return new PackedExperts([.. packed], dtype);
    }

    private static PackedWeight? PackCodesOfOne(ExpertWeights experts, int expert)
    {
        if (experts.GridOf(expert) is not { } grid)
        {
            return null;
        }

        using Tensor dense = experts.ToDense(expert);
        return TensorPacking.TryPack(dense, grid);
    }

    public static PackedExpert PackOne(ExpertWeights experts, int expert, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return new PackedExpert(PackedWeight.Pack(experts.ToDense(expert).to(dtype)));
    }
}
