namespace SparseExpansion.Models;

/// <summary>
/// The places of the norms in a block, and what its feed-forward network reads. f stands for the attention first, then
/// for the feed-forward network.
/// </summary>
public enum BlockLayout
{
    /// <summary>x + f(norm x), twice (Llama, GPT-2).</summary>
    PreNorm,

    /// <summary>x + norm f(norm x), twice (Gemma 2).</summary>
    SandwichNorm,

    /// <summary>x + norm f(x), twice (OLMo 2).</summary>
    BranchNorm,

    /// <summary>norm(x + f(x)), twice (Vaswani et al. 2017; OPT-350M).</summary>
    PostNorm,

    /// <summary>x + attention(norm₁ x) + feed-forward(norm₂ x) (GPT-NeoX).</summary>
    Parallel,

    /// <summary>x + attention(norm x) + feed-forward(norm x), with one norm (Phi).</summary>
    ParallelSharedNorm,
}
