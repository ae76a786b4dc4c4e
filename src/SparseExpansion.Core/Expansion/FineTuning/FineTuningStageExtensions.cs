using SparseExpansion.Expansion;

namespace SparseExpansion;

/// <summary>Fine-tuning as a stage of an expansion.</summary>
public static class FineTuningStageExtensions
{
    private static readonly ExpansionStage s_stage = new("FineTuning");

    extension(ExpansionStage)
    {
        /// <summary>Fitting the expanded block to the dense one.</summary>
        public static ExpansionStage FineTuning => s_stage;
    }
}
