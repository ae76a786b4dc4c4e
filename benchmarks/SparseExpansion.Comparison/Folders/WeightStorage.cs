using SparseExpansion.Execution;

namespace SparseExpansion.Comparison.Folders;

/// <summary>The way in which the weights of a model are stored.</summary>
/// <param name="Type">Type of the dense weights, and of experts in full precision.</param>
/// <param name="Experts">Experts of every linear; 0 for a dense model.</param>
/// <param name="Sparsity">Fraction of the weights that experts lack.</param>
/// <param name="Bits">Bits of a code of the experts; null for full precision.</param>
/// <param name="DenseBits">Bits of a code of all other matrices, embedding and head among them; null for full
/// precision.</param>
internal sealed record WeightStorage(
    ElementType Type, int Experts = 0, double Sparsity = 0, int? Bits = null, int? DenseBits = null)
{
    /// <summary>Columns that share a scale where there are codes.</summary>
    public const int GroupSize = 128;

    public bool IsDense => Experts == 0;

    /// <summary>True for a folder as it is published: no weight needs a description of its own.</summary>
    public bool IsPlain => IsDense && DenseBits is null;

    /// <summary>A name for the folder: <c>float32-dense</c>, <c>int4-dense</c>, <c>int4-16-50-int4</c>.</summary>
    public string FolderName
    {
        get
        {
            string dense = Name(DenseBits);
            return IsDense ? $"{dense}-dense" : $"{Name(Bits)}-{Experts}-{Sparsity * 100:0}" + (DenseBits is null ? "" : $"-{dense}");
        }
    }

    private string Name(int? bits) => bits is null ? Type.ToString().ToLowerInvariant() : $"int{bits}";
}
