using System.Globalization;
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
        Settings = Describe(plan),
        Targets = plan.Targets.Description,
        Seed = plan.Options.Seed,
        WithinBlock = plan.Options.WithinBlock,
        Batches = plan.Batches.Count,
        BatchShape = plan.Batches[0].Input.shape,
        CalibrationHash = CalibrationHash.Compute(plan.Batches),
        LayerSparsity = layers.ToDictionary(layer => layer.Name, layer => layer.Sparsity),
    };

    private static string Describe(ExpansionPlan plan) => string.Create(
        CultureInfo.InvariantCulture,
        $"{plan.Trainer}; {plan.Sparsifier}; {plan.Options.ExpertStatistics}{(plan.Refinement is null ? "" : $"; {plan.Refinement}")}{(plan.Allocation.Method == AllocationMethod.Uniform ? "" : $"; allocation by {plan.Allocation}")}{(plan.FineTuning is null ? "" : $"; {plan.FineTuning}")}; chunks of {plan.Options.ChunkTokens} tokens");

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version!.ToString();
}
