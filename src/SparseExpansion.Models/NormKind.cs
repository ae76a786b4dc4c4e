namespace SparseExpansion.Models;

/// <summary>Formulas of the norms of a model.</summary>
public enum NormKind
{
    /// <summary>w · x / sqrt(mean(x²) + ε) (Zhang &amp; Sennrich 2019).</summary>
    Rms,

    /// <summary>(1 + w) · x / sqrt(mean(x²) + ε): the weight is stored as its distance from 1 (Gemma).</summary>
    RmsAroundOne,

    /// <summary>w · (x − mean(x)) / sqrt(var(x) + ε), and a bias where the model has one (Ba et al. 2016).</summary>
    Layer,
}
