namespace SparseExpansion.Pruning.Factorization;

/// <summary>The step of the damping ladder at which a Hessian could be factored.</summary>
/// <param name="Index">0 for the damping asked for, then one more for every attempt.</param>
/// <param name="Damping">The damping used, as a fraction of the mean diagonal of the Hessian.</param>
/// <param name="Method">The method of pruning on this rung.</param>
public sealed record DampingRung(int Index, double Damping, DampingMethod Method) : PruningDiagnostic;
