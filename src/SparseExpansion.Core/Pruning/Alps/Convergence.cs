namespace SparseExpansion.Pruning.Alps;

/// <summary>Convergence of an iterative pruner.</summary>
/// <param name="Iterations">Iterations of the search for the support.</param>
/// <param name="Settled">True if the last iteration left the support as it was, but for
/// <see cref="Alps.AlpsOptions.SettledShare"/>; false if the limit of iterations ended the search.</param>
/// <param name="RefitIterations">Iterations of the least squares on the final support: those in bfloat16 and, where
/// they lost too many digits, those in float32 that began anew.</param>
/// <param name="Residual">
/// What is left of the normal equations on the support S after the least squares: ‖((Ŵ − W)H)_S‖ / ‖(Ŵ −
/// W)H‖ in scaled coordinates, 0 for exact ones.
/// </param>
public sealed record Convergence(
    int Iterations, bool Settled, int RefitIterations, double Residual) : PruningDiagnostic;
