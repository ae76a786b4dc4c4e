using System.Globalization;
using SparseExpansion.Internal;

namespace SparseExpansion.Expansion;

/// <summary>Everything that decides an expansion's outcome, as names and values: what must be the same for stored blocks to be of use.</summary>
internal static class StoredSettings
{
    private const int ShownLength = 120;

    /// <summary>Hashes the dense model and the calibration data, and lists the rest.</summary>
    public static Dictionary<string, string> Of(ExpansionPlan plan, IReadOnlyList<ExpansionUnit> units)
    {
        ExpansionManifest manifest = ManifestFactory.Create(plan, []);
        return new Dictionary<string, string>
        {
            ["version of SparseExpansion"] = manifest.Version,
            ["version of TorchSharp"] = manifest.TorchSharpVersion,
            ["model"] = TensorHash.OfState(plan.Model.state_dict()),
            ["blocks"] = Text($"{plan.Blocks.Count}"),
            ["layers"] = string.Join(", ", units.SelectMany(unit => unit.Slots).Select(slot => slot.Name)),
            ["pruner"] = manifest.Pruner,
            ["options of the pruner"] = $"{plan.Sparsifier}",
            ["sparsity"] = manifest.Sparsity,
            ["allocation"] = $"{plan.Allocation}",
            ["router"] = manifest.Router,
            ["options of the router"] = $"{plan.Trainer}",
            ["refinement of the router"] = plan.Refinement?.ToString() ?? "none",
            ["fine-tuning"] = plan.FineTuning?.ToString() ?? "none",
            ["expert statistics"] = $"{plan.Options.ExpertStatistics}",
            ["seed"] = Text($"{plan.Options.Seed}"),
            ["inputs within a block"] = $"{plan.Options.WithinBlock}",
            ["packing"] = plan.Options.Pack ? "yes" : "no",
            ["tokens of a chunk"] = Text($"{plan.Options.ChunkTokens}"),
            ["calibration batches"] = Text($"{manifest.Batches} x [{string.Join(", ", manifest.BatchShape)}]"),
            ["calibration data"] = manifest.CalibrationHash,
        };
    }

    /// <exception cref="SparseExpansionException">Names every setting that differs, with both values.</exception>
    public static void RequireSame(IReadOnlyDictionary<string, string> stored, IReadOnlyDictionary<string, string> now)
    {
        string[] differences = [.. stored.Keys.Union(now.Keys)
            .Where(name => stored.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .Select(name => $"{name} was {Show(stored.GetValueOrDefault(name))}, is {Show(now.GetValueOrDefault(name))}")];
        if (differences.Length > 0)
        {
            throw new SparseExpansionException(
                $"The stored blocks belong to another expansion: {string.Join("; ", differences)}. Go on with the former values, or begin anew with an empty store.");
        }
    }

    private static string Show(string? value) => value switch
    {
        null => "unknown",
        { Length: > ShownLength } => $"'{value[..ShownLength]}…'",
        _ => $"'{value}'",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
