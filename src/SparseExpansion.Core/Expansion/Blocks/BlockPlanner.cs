using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>Divides the targets of a model among its blocks.</summary>
internal static class BlockPlanner
{
    private const int NamesInMessage = 8;

    /// <exception cref="NoMatchingLayerException">No linear matches the targets.</exception>
    public static IReadOnlyList<ExpansionBlock> Plan(ExpansionRequest request)
    {
        IReadOnlyList<ModuleSlot> targets = FindTargets(request);
        Device device = ((Linear)targets[0].Dense).weight!.device;
        var blocks = new List<ExpansionBlock>();
        var left = new List<ModuleSlot>(targets);
        for (int i = 0; i < request.Blocks.Count; i++)
        {
            ModuleSlot[] slots = [.. left.Where(InsideOf([request.Blocks[i]]))];
            left.RemoveAll(slots.Contains);
            Block block = request.Blocks[i];
            blocks.Add(new ExpansionBlock(Block.ToPart(() => ExpansionBlock.InPlaceOf(block, slots), i, device), slots, IsWholeModel: false));
        }

        if (left.Count > 0)
        {
            blocks.Add(new ExpansionBlock(RunnablePart.Of("the model", request.Forward!, device), left, IsWholeModel: true));
        }

        int last = request.NeedsAllBlocks
            ? blocks.Count - 1
            : blocks.FindLastIndex(block => block.Slots.Count > 0);
        return blocks[..(last + 1)];
    }

    public static LayerDescriptor Describe(ModuleSlot slot)
    {
        var linear = (Linear)slot.Dense;
        return new LayerDescriptor(
            slot.Name, checked((int)linear.in_features), checked((int)linear.out_features), linear.weight!.device);
    }

    /// <summary>A linear in two places of the model would be exchanged in one and run dense in the other.</summary>
    private static void CheckShared(IEnumerable<ModuleSlot> targets, IEnumerable<ModuleSlot> linears)
    {
        ILookup<nn.Module, string> names = linears.ToLookup(slot => (nn.Module)slot.Dense, slot => slot.Name);
        if (targets.FirstOrDefault(slot => names[slot.Dense].Skip(1).Any()) is { } shared)
        {
            throw new SparseExpansionException(
                $"{string.Join(" and ", names[shared.Dense].Select(name => $"'{name}'"))} are the same Linear object; leave it out of the targets, or give each place its own.");
        }
    }

    /// <summary>Finds a layer that the target does not fit before any work is done.</summary>
    private static void CheckColumns(IEnumerable<ModuleSlot> targets, SparsityTarget target)
    {
        if (target is NMTarget nm && targets.Select(Describe).FirstOrDefault(layer => layer.InFeatures % nm.GroupSize != 0) is { } misfit)
        {
            throw new IncompatibleSparsityException(
                $"{nm} sparsity needs in_features divisible by {nm.GroupSize}; layer '{misfit.Name}' has {misfit.InFeatures}.", nm, misfit.Name, misfit.InFeatures);
        }
    }

    /// <summary>Names of targets for a message, the first few.</summary>
    public static string Enumerate(IReadOnlyList<ModuleSlot> slots) =>
        string.Join(", ", slots.Take(NamesInMessage).Select(slot => slot.Name))
            + (slots.Count > NamesInMessage ? ", …" : "");

    private static ModuleSlot[] FindTargets(ExpansionRequest request)
    {
        IReadOnlyList<ModuleSlot> linears = SlotFinder.FindLinears(request.Model);
        if (linears.Count == 0)
        {
            throw new SparseExpansionException(request.Model.modules().OfType<SparseMixtureLayer>().Any()
                ? "The model is expanded already: revert the first expansion, or begin with the dense model."
                : "The model has no linear layers that could be expanded.");
        }

        ModuleSlot[] targets = request is { Targets: null, Blocks.Count: > 0 }
            ? [.. linears.Where(InsideOf(request.Blocks))]
            : [.. linears.Where(slot => request.Targets?.Matches(Describe(slot)) ?? true)];
        if ((targets.Length == 0 ? request.Targets?.Description ?? "the blocks, where targets are looked for without Targets(…)" : request.Targets?.FindIdle([.. linears.Select(Describe)])) is { } unmatched)
        {
            throw new NoMatchingLayerException(
                $"No linear layer matches {unmatched}. The model has {linears.Count}: {Enumerate(linears)}.{Expanded(request)}", unmatched, [.. linears.Select(slot => slot.Name)]);
        }

        CheckShared(targets, linears);
        CheckColumns(targets, request.Target!);
        return targets;
    }

    private static string Expanded(ExpansionRequest request) =>
        request.Model.modules().OfType<SparseMixtureLayer>().Any()
        ? " Others are expanded already: revert that expansion, or begin with the dense model."
        : "";

    private static Func<ModuleSlot, bool> InsideOf(IEnumerable<Block> blocks)
    {
        HashSet<nn.Module> inside = [.. blocks.SelectMany(block => block.Module.modules().Prepend(block.Module))];
        return slot => inside.Contains(slot.Dense);
    }
}
