using SparseExpansion.Calibration;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Divides the targets of a model among its blocks.</summary>
internal static class UnitPlanner
{
    private const int NamesInMessage = 8;

    /// <exception cref="NoMatchingLayerException">No linear matches the targets.</exception>
    public static IReadOnlyList<ExpansionUnit> Plan(ExpansionPlan plan)
    {
        IReadOnlyList<ModuleSlot> targets = FindTargets(plan);
        Device device = ((Linear)targets[0].Dense).weight!.device;
        var units = new List<ExpansionUnit>();
        var left = new List<ModuleSlot>(targets);
        for (int i = 0; i < plan.Blocks.Count; i++)
        {
            ModuleSlot[] slots = [.. left.Where(InsideOf([plan.Blocks[i]]))];
            left.RemoveAll(slots.Contains);
            Block block = plan.Blocks[i];
            units.Add(new ExpansionUnit(Block.ToUnit(() => ExpansionUnit.InPlaceOf(block, slots), i, device), slots, IsBlock: true));
        }

        if (left.Count > 0)
        {
            CheckFineTuning(plan, left);
            units.Add(new ExpansionUnit(CalibrationUnit.Of("the model", plan.Forward!, device), left, IsBlock: false));
        }

        int last = units.FindLastIndex(unit => unit.Slots.Count > 0);
        return units[..(last + 1)];
    }

    public static LayerDescriptor Describe(ModuleSlot slot)
    {
        var linear = (Linear)slot.Dense;
        return new LayerDescriptor(slot.Name, checked((int)linear.in_features), checked((int)linear.out_features), linear.weight!.device);
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

    /// <summary>Layers after blocks are run through the whole model: the dense one is gone, and its outputs would all have to be kept.</summary>
    private static void CheckFineTuning(ExpansionPlan plan, IReadOnlyList<ModuleSlot> outside)
    {
        if (plan.FineTuning is not null && plan.Blocks.Count > 0)
        {
            throw new SparseExpansionException(
                $"Fine-tuning goes block by block, but these targets lie outside the blocks: {Enumerate(outside)}. Leave them out, or leave fine-tuning out.");
        }
    }

    private static string Enumerate(IReadOnlyList<ModuleSlot> slots) =>
        string.Join(", ", slots.Take(NamesInMessage).Select(slot => slot.Name)) + (slots.Count > NamesInMessage ? ", …" : "");

    private static ModuleSlot[] FindTargets(ExpansionPlan plan)
    {
        IReadOnlyList<ModuleSlot> linears = SlotFinder.FindLinears(plan.Model);
        if (linears.Count == 0)
        {
            throw new SparseExpansionException(plan.Model.modules().OfType<SparseMixtureLayer>().Any()
                ? "The model is expanded already: revert the first expansion, or begin with the dense model."
                : "The model has no linear layers that could be expanded.");
        }

        ModuleSlot[] targets = plan is { Targets: null, Blocks.Count: > 0 }
            ? [.. linears.Where(InsideOf(plan.Blocks))]
            : [.. linears.Where(slot => plan.Targets?.Matches(Describe(slot)) ?? true)];
        if ((targets.Length == 0 ? plan.Targets?.Description ?? "the blocks, where targets are looked for without Targets(…)" : plan.Targets?.FindIdle([.. linears.Select(Describe)])) is { } unmatched)
        {
            throw new NoMatchingLayerException(
                $"No linear layer matches {unmatched}. The model has {linears.Count}: {Enumerate(linears)}.{Expanded(plan)}", unmatched, [.. linears.Select(slot => slot.Name)]);
        }

        CheckShared(targets, linears);
        CheckColumns(targets, plan.Target!);
        return targets;
    }

    private static string Expanded(ExpansionPlan plan) => plan.Model.modules().OfType<SparseMixtureLayer>().Any()
        ? " Others are expanded already: revert that expansion, or begin with the dense model."
        : "";

    private static Func<ModuleSlot, bool> InsideOf(IEnumerable<Block> blocks)
    {
        HashSet<nn.Module> inside = [.. blocks.SelectMany(block => block.Module.modules().Prepend(block.Module))];
        return slot => inside.Contains(slot.Dense);
    }
}
