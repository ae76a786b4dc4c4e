namespace SparseExpansion.Inference.Linears;

/// <summary>A linear layer of one weight, whose rows can be read: token embeddings and the output projection may be one.</summary>
/// <param name="inFeatures">Columns of the weight.</param>
/// <param name="outFeatures">Rows of the weight.</param>
internal abstract class MatrixLinear(int inFeatures, int outFeatures) : Linear(inFeatures, outFeatures)
{
    /// <summary>Reads a row of the weight.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="target">[in_features].</param>
    public abstract void ReadRow(int row, Span<float> target);
}
