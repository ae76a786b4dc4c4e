using System.Globalization;
using SparseExpansion.Calibration;
using SparseExpansion.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Everything that decides an expansion's outcome, as names and values: what must be the same for stored blocks to be of use.</summary>
internal static class StoredSettings
{
    /// <summary>Hashes the dense model and the calibration data, and lists the rest. The model is dense and in evaluation mode.</summary>
    public static Dictionary<string, string> Of(ExpansionPlan plan, IReadOnlyList<ExpansionUnit> units)
    {
        using var culture = InvariantCulture.Enter();
        ExpansionManifest manifest = ManifestFactory.Create(plan, []);
        return new Dictionary<string, string>
        {
            ["version of SparseExpansion"] = manifest.Version,
            ["version of TorchSharp"] = manifest.TorchSharpVersion,
            ["model"] = TensorHash.OfState(plan.Model.state_dict()),
            ["output of the dense model on the first batch"] = HashOutput(plan, units[0].Calibration.Device),
            ["device"] = $"{units[0].Calibration.Device}",
            ["blocks"] = Text($"{plan.Blocks.Count}: {string.Join(", ", plan.Blocks.Select(block => plan.PathOf(block.Module) ?? "unnamed"))}"),
            ["layers"] = string.Join(", ", units.SelectMany(unit => unit.Slots).Select(slot => slot.Name)),
            ["pruner"] = manifest.Pruner,
            ["options of the pruner"] = $"{plan.Sparsifier}",
            ["sparsity"] = manifest.Sparsity,
            ["allocation"] = $"{plan.Allocation}",
            ["router"] = manifest.Router,
            ["options of the router"] = $"{plan.Trainer}",
            ["refinement of the router"] = plan.Refinement?.ToString() ?? "none",
            ["error compensation"] = plan.Compensation?.ToString() ?? "none",
            ["fine-tuning"] = plan.FineTuning?.ToString() ?? "none",
            ["expert statistics"] = $"{plan.Options.ExpertStatistics}",
            ["seed"] = Text($"{plan.Options.Seed}"),
            ["inputs within a block"] = $"{plan.WithinBlock}",
            ["packing"] = plan.Options.Pack ? "yes" : "no",
            ["tokens of a chunk"] = Text($"{plan.Options.ChunkTokens}"),
            ["calibration batches"] = Text($"{manifest.Batches} x [{string.Join(", ", manifest.BatchShape)}], {plan.Batches.Sum(batch => batch.Input.shape[0])} rows"),
            ["calibration data"] = manifest.CalibrationHash,
        };
    }

    /// <exception cref="OtherExpansionException">Names every setting that differs, with both values.</exception>
    public static void RequireSame(IReadOnlyDictionary<string, string> stored, IReadOnlyDictionary<string, string> now)
    {
        SettingDifference[] differences = [.. stored.Keys.Union(now.Keys)
            .Where(name => stored.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .Select(name => new SettingDifference(name, stored.GetValueOrDefault(name), now.GetValueOrDefault(name)))];
        if (differences.Length > 0)
        {
            throw new OtherExpansionException(
                $"The stored blocks belong to another expansion: {string.Join<SettingDifference>("; ", differences)}. Go on with the former values, or begin anew with an empty store.",
                differences);
        }
    }

    /// <summary>What a model computes depends on more than its weights: constants such as the ε of a norm or the base of rotary positions.</summary>
    private static string HashOutput(ExpansionPlan plan, Device device)
    {
        using Tensor output = CalibrationUnit.Of("the model", plan.Forward!, device).Run(plan.Batches[0], keepOutput: true)!;
        return TensorHash.OfState([KeyValuePair.Create("output", output)]);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
