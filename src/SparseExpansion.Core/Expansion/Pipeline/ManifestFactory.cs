using System.Reflection;
using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using TorchSharp;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Writes down what decided an expansion.</summary>
internal static class ManifestFactory
{
    /// <param name="request">The request.</param>
    /// <param name="batches">The calibration batches.</param>
    /// <param name="layers">Reports of the layers.</param>
    public static ExpansionManifest Create(
        ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, IEnumerable<LayerReport> layers)
    {
        using var culture = InvariantCulture.Enter(); // Options write themselves in the culture of the thread.
        return new ExpansionManifest
        {
            Version = VersionOf(typeof(ExpansionManifest).Assembly),
            TorchSharpVersion = VersionOf(typeof(torch).Assembly),
            Pruner = request.Sparsifier!.Name,
            Sparsity = request.Target!.ToString()!,
            Router = request.Trainer!.Name,
            Settings = SettingsOf(request),
            Targets = request.Targets?.Description ?? "all linears",
            Seed = request.Options.Seed,
            WithinBlock = request.WithinBlock,
            Batches = batches.Count,
            BatchShape = batches[0].Input.shape,
            CalibrationHash = CalibrationHash.Compute(batches),
            LayerSparsity = layers.ToDictionary(layer => layer.Name, layer => layer.Sparsity),
        };
    }

    private static string SettingsOf(ExpansionRequest request) => string.Join(
        "; ",
        [$"{request.Trainer}", $"{request.Sparsifier}", .. request.Steps.Select(step => step.ManifestText), $"chunks of {request.Options.ChunkTokens} tokens"]);

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? assembly.GetName().Version!.ToString();
}
