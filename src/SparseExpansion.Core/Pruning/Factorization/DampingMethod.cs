namespace SparseExpansion.Pruning.Factorization;

/// <summary>The way in which a weight was pruned on a rung of the damping ladder.</summary>
public enum DampingMethod
{
    /// <summary>The Hessian was factored in float32.</summary>
    SinglePrecision,

    /// <summary>The Hessian was factored in float64 after float32 had failed at the largest damping.</summary>
    DoublePrecision,

    /// <summary>No damping helped; the weight was pruned by Wanda's score from the Hessian's diagonal.</summary>
    WandaFallback,
}
