namespace SparseExpansion.Expansion.Refinement;

/// <summary>Result of refinement for a group's router.</summary>
/// <param name="Rounds">Rounds that were kept; 0: the trained router stayed.</param>
/// <param name="ErrorBefore">
/// Relative output error, summed over the group's linears, of the trained router on held-out tokens.
/// </param>
/// <param name="ErrorAfter">The same of the router that was kept.</param>
public sealed record RouterRefinement(int Rounds, double ErrorBefore, double ErrorAfter);
