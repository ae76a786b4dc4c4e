using System.Reflection;
using TorchSharp;

namespace SparseExpansion.Expansion;

/// <summary>Writes down what decided an expansion.</summary>
internal static class ManifestFactory
{
    public static ExpansionManifest Create(ExpansionPlan plan, IEnumerable<LayerReport> layers) => new()
    {
        Version = VersionOf(typeof(ExpansionManifest).Assembly),
        TorchSharpVersion = VersionOf(typeof(torch).Assembly),
        Pruner = plan.Sparsifier!.Name,
        Sparsity = plan.Target!.ToString()!,
        Router = plan.Trainer!.Name,
        Settings = $"{plan.Trainer}; {plan.Sparsifier}; chunks of {plan.Options.ChunkTokens} tokens",
        Targets = plan.Targets.Description,
        Seed = plan.Options.Seed,
        WithinBlock = plan.Options.WithinBlock,
        Batches = plan.Batches.Count,
        BatchShape = plan.Batches[0].Input.shape,
        CalibrationHash = CalibrationHash.Compute(plan.Batches),
        LayerSparsity = layers.ToDictionary(layer => layer.Name, layer => layer.Sparsity),
    };

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version!.ToString();
}
