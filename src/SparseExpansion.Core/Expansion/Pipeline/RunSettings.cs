using System.Globalization;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>
/// Everything that decides an expansion's outcome, as names and values: what must be the same for stored blocks to be
/// of use.
/// </summary>
internal static class RunSettings
{
    /// <summary>
    /// Hashes the dense model and the calibration data, and lists the rest. The model is dense and in evaluation mode.
    /// </summary>
    public static Dictionary<string, string> Of(ExpansionRun run)
    {
        using var culture = InvariantCulture.Enter();
        ExpansionRequest request = run.Request;
        ExpansionManifest manifest = ManifestFactory.Create(request, run.Batches, []);
        var settings = new Dictionary<string, string>
        {
            ["version of SparseExpansion"] = manifest.Version,
            ["version of TorchSharp"] = manifest.TorchSharpVersion,
            ["model"] = TensorHash.OfState(request.Model.state_dict()),
            ["output of the dense model on the first batch"] = HashOutput(run),
            ["device"] = $"{run.Device}",
            ["blocks"] = Text($"{request.Blocks.Count}: {string.Join(", ", request.Blocks.Select(block => request.PathOf(block.Module) ?? "unnamed"))}"),
            ["layers"] = string.Join(", ", run.Blocks.SelectMany(block => block.Slots).Select(slot => slot.Name)),
            ["pruner"] = manifest.Pruner,
            ["options of the pruner"] = $"{request.Sparsifier}",
            ["sparsity"] = manifest.Sparsity,
            ["router"] = manifest.Router,
            ["options of the router"] = $"{request.Trainer}",
            ["seed"] = Text($"{request.Options.Seed}"),
            ["inputs within a block"] = $"{request.WithinBlock}",
            ["packing"] = request.Options.Pack ? "yes" : "no",
            ["tokens of a chunk"] = Text($"{request.Options.ChunkTokens}"),
            ["calibration batches"] = Text($"{manifest.Batches} x [{string.Join(", ", manifest.BatchShape)}], {run.Batches.Sum(batch => batch.Input.shape[0])} rows"),
            ["calibration data"] = manifest.CalibrationHash,
        };
        foreach (IExpansionStep step in ExpansionRecipe.KnownSteps.Where(step => step.SettingWithout is not null))
        {
            settings.Add(step.SettingName, step.SettingWithout!);
        }

        foreach (IExpansionStep step in request.Steps)
        {
            settings[step.SettingName] = step.Setting;
        }

        return settings;
    }

    /// <summary>
    /// Hash of an output: it depends on more than the weights, on constants such as the ε of a norm or the base of
    /// rotary positions.
    /// </summary>
    private static string HashOutput(ExpansionRun run)
    {
        using Tensor output = RunnablePart.Of("the model", run.Request.Forward!, run.Device)
            .Run(run.Batches[0], keepOutput: true)!;
        return TensorHash.OfState([KeyValuePair.Create("output", output)]);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
