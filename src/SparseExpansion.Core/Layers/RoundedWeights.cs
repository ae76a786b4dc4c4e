using System.Runtime.CompilerServices;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// The grids that dense weights of models were rounded to, by the module that has the weight. Modules keep the rounded
/// values as they keep any others; the grid is what saving them in codes needs.
/// </summary>
/// <remarks>By module, not by parameter: moving a model to another device or type exchanges its parameters.</remarks>
internal static class RoundedWeights
{
    private static readonly ConditionalWeakTable<nn.Module, WeightGrid> s_grids = [];

    /// <summary>The grid of a module's weight; null if that was not rounded.</summary>
    public static WeightGrid? Find(nn.Module module) =>
        s_grids.TryGetValue(module, out WeightGrid? grid) ? grid : null;

    /// <summary>Remembers the grid of a module's weight.</summary>
    public static void Set(nn.Module module, WeightGrid grid) => s_grids.AddOrUpdate(module, grid);

    /// <summary>Forgets it.</summary>
    public static void Remove(nn.Module module) => s_grids.Remove(module);
}
