using System.Globalization;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Transformers;

namespace SparseExpansion.Benchmarks.Accuracy;

/// <summary>A way to make a model sparse.</summary>
/// <param name="Name">Name in the table.</param>
/// <param name="Recipe">Recipe of the expansion.</param>
public sealed record AccuracyRow(string Name, ExpansionRecipe Recipe)
{
    /// <summary>In place of the recipe's router, if it is not null.</summary>
    public IRouterTrainer? Router { get; init; }

    /// <summary>
    /// Copies that share the weights of one copy at the column's sparsity, so that each keeps a fraction of them.
    /// </summary>
    public int SharedStorage { get; init; } = 1;

    /// <summary>True if the row applies to the target.</summary>
    public bool Fits(SparsityTarget target) =>
        target is UnstructuredTarget || (SharedStorage == 1 && Recipe.Allocation == SparsityAllocation.Uniform);

    /// <summary>The same row with another fine-tuning, if it has one; null keeps an option.</summary>
    public AccuracyRow WithFineTuning(string? steps, string? learningRate, string? target) =>
        Recipe.FineTuning is not { } tuning ? this : this with
        {
            Recipe = Recipe with
            {
                FineTuning = tuning with
                {
                    Steps = steps is null ? tuning.Steps : int.Parse(steps, CultureInfo.InvariantCulture),
                    LearningRate = learningRate is null
                    ? tuning.LearningRate
                    : double.Parse(learningRate, CultureInfo.InvariantCulture),
                    Target = target is null ? tuning.Target : Enum.Parse<FineTuningTarget>(target, ignoreCase: true),
                },
            },
        };

    /// <summary>Sets the method.</summary>
    public ExpansionBuilder<CausalLanguageModel> Apply(
        ExpansionBuilder<CausalLanguageModel> builder, SparsityTarget target)
    {
        SparsityTarget each = target is UnstructuredTarget unstructured && SharedStorage > 1
            ? SparsityTarget.Unstructured(1 - ((1 - unstructured.Sparsity) / SharedStorage))
            : target;
        builder.WithRecipe(Recipe, each);
        return Router is null ? builder : builder.RouteWith(Router);
    }
}
