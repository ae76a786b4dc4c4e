using System.Reflection;
using SparseExpansion.Internal;
using TorchSharp;

namespace SparseExpansion.Expansion;

/// <summary>Writes down what decided an expansion.</summary>
internal static class ManifestFactory
{
    public static ExpansionManifest Create(ExpansionPlan plan, IEnumerable<LayerReport> layers)
    {
        using var culture = InvariantCulture.Enter();
        return Describe(plan, layers);
    }

    private static ExpansionManifest Describe(ExpansionPlan plan, IEnumerable<LayerReport> layers) => new()
    {
        Version = VersionOf(typeof(ExpansionManifest).Assembly),
        TorchSharpVersion = VersionOf(typeof(torch).Assembly),
        Pruner = plan.Sparsifier!.Name,
        Sparsity = plan.Target!.ToString()!,
        Router = plan.Trainer!.Name,
        Settings = SettingsOf(plan),
        Targets = plan.Targets?.Description ?? "all linears",
        Seed = plan.Options.Seed,
        WithinBlock = plan.WithinBlock,
        Batches = plan.Batches.Count,
        BatchShape = plan.Batches[0].Input.shape,
        CalibrationHash = CalibrationHash.Compute(plan.Batches),
        LayerSparsity = layers.ToDictionary(layer => layer.Name, layer => layer.Sparsity),
    };

    /// <summary>For use in the invariant culture: options write themselves in that of the thread.</summary>
    private static string SettingsOf(ExpansionPlan plan) =>
        $"{plan.Trainer}; {plan.Sparsifier}; {plan.Options.ExpertStatistics}{(plan.Refinement is null ? "" : $"; {plan.Refinement}")}{(plan.Allocation.Method == AllocationMethod.Uniform ? "" : $"; allocation by {plan.Allocation}")}{(plan.Compensation is null ? "" : $"; {plan.Compensation}")}{(plan.FineTuning is null ? "" : $"; {plan.FineTuning}")}; chunks of {plan.Options.ChunkTokens} tokens";

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version!.ToString();
}
