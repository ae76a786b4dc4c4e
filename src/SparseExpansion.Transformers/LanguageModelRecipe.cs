using SparseExpansion.Expansion;
using SparseExpansion.Expansion.FineTuning;

namespace SparseExpansion.Transformers;

/// <summary>Recipes for models whose outputs are logits.</summary>
public static class LanguageModelRecipe
{
    /// <summary>
    /// <see cref="ExpansionRecipe.Best"/>, with the last block fine-tuned to the dense model's distributions over the
    /// next token
    /// (<see cref="FineTuningLoss.KullbackLeibler"/>) instead of its hidden states.
    /// </summary>
    public static ExpansionRecipe Best { get; } = ExpansionRecipe.Best with
    {
        FineTuning = ExpansionRecipe.Best.FineTuning! with { OutputLoss = FineTuningLoss.KullbackLeibler },
    };
}
