using SparseExpansion.Expansion;

namespace SparseExpansion;

/// <summary>The rounding of weights that stay dense, as a stage of an expansion.</summary>
public static class DenseQuantizationStageExtensions
{
    private static readonly ExpansionStage s_stage = new("DenseQuantization");

    extension(ExpansionStage)
    {
        /// <summary>Rounding the weights of a block that stay dense.</summary>
        public static ExpansionStage DenseQuantization => s_stage;
    }
}
