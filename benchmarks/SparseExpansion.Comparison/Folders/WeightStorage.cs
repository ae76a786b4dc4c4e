using SparseExpansion.Execution;

namespace SparseExpansion.Comparison.Folders;

/// <summary>The way in which the linears of a model's blocks are stored.</summary>
/// <param name="Type">Type of the dense weights, and of experts in full precision.</param>
/// <param name="Experts">Experts of every linear; 0 for a dense model.</param>
/// <param name="Sparsity">Fraction of the weights that experts lack.</param>
/// <param name="Bits">Bits of a code; null for full precision.</param>
internal sealed record WeightStorage(ElementType Type, int Experts = 0, double Sparsity = 0, int? Bits = null)
{
    /// <summary>Columns that share a scale where there are codes.</summary>
    public const int GroupSize = 128;

    public bool IsDense => Experts == 0;

    /// <summary>A name for the folder: <c>float32-dense</c>, <c>int4-16-50</c>.</summary>
    public string FolderName
    {
        get
        {
            string weights = Bits is { } bits ? $"int{bits}" : Type.ToString().ToLowerInvariant();
            return IsDense ? $"{weights}-dense" : $"{weights}-{Experts}-{Sparsity * 100:0}";
        }
    }
}
