using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.DenseQuantization;

/// <summary>A weight that stays dense and is to be rounded.</summary>
/// <param name="Name">Module path.</param>
/// <param name="Module">The module that has it.</param>
/// <param name="Weight">[out_features, in_features].</param>
/// <param name="Target">Called with what the weight is multiplied with; null: that is nothing but ids.</param>
internal sealed record DenseWeight(string Name, nn.Module Module, Parameter Weight, CalibrationTarget? Target)
{
    /// <summary>All of a model, in the order of registration.</summary>
    /// <param name="request">The model, and its blocks.</param>
    /// <param name="blocks">The targets, which are expanded.</param>
    /// <param name="options">Chooses among the others.</param>
    public static IReadOnlyList<DenseWeight> Find(
        ExpansionRequest request, IReadOnlyList<ExpansionBlock> blocks, DenseQuantizationOptions options)
    {
        HashSet<nn.Module> others =
        [
            .. blocks.SelectMany(block => block.Slots).Select(slot => (nn.Module)slot.Dense),
            .. request.Model.modules().OfType<SparseMixtureLayer>().SelectMany(mixture => mixture.modules()),
        ];
        return [.. request.Model.named_modules()
            .Where(entry => !others.Contains(entry.module))
            .Select(entry => TryCreate(entry.name, entry.module))
            .OfType<DenseWeight>()
            .Where(weight => options.Layers.Count == 0 || options.Layers.Any(pattern => TargetFilter.Fits(pattern, weight.Name)))
            .DistinctBy(weight => weight.Module)];
    }

    /// <summary>Those that a block runs, and that are not rounded yet.</summary>
    /// <param name="block">A block, or the whole model for all that lies outside of blocks.</param>
    /// <param name="options">Chooses.</param>
    public static IReadOnlyList<DenseWeight> In(BlockRun block, DenseQuantizationOptions options)
    {
        if (block.Block.IsWholeModel)
        {
            return Outside(block.Run, options);
        }

        HashSet<nn.Module> inside = ModulesOf(block.Run.Request.Blocks[block.Index]);
        return [.. Left(block.Run, options).Where(weight => inside.Contains(weight.Module))];
    }

    /// <summary>Those outside of all blocks that are not rounded yet.</summary>
    public static IReadOnlyList<DenseWeight> Outside(ExpansionRun run, DenseQuantizationOptions options)
    {
        HashSet<nn.Module> inside = [.. run.Request.Blocks.SelectMany(ModulesOf)];
        return [.. Left(run, options).Where(weight => !inside.Contains(weight.Module))];
    }

    /// <summary>Those that are not rounded yet.</summary>
    public static IEnumerable<DenseWeight> Left(ExpansionRun run, DenseQuantizationOptions options) =>
        Find(run.Request, run.Blocks, options)
            .Where(weight => !run.Changes.Rounded.Any(rounded => rounded.IsOf(weight.Module)));

    private static HashSet<nn.Module> ModulesOf(Block block) => [.. block.Module.modules().Prepend(block.Module)];

    private static DenseWeight? TryCreate(string name, nn.Module module) => module switch
    {
        Linear linear => new(name, module, linear.weight!, new CalibrationTarget(name, linear)),
        IEmbeddingMatrix matrix => new(
            name, module, matrix.Weight,
            matrix.Projection is { } projection ? new CalibrationTarget(name, projection) : null),
        Embedding embedding => new(name, module, embedding.weight!, null),
        _ => null,
    };
}
