namespace SparseExpansion.Pruning.Factorization;

/// <summary>How the damping ladder climbs.</summary>
/// <param name="First">The first damping, as a fraction of the mean diagonal of a Hessian.</param>
/// <param name="Increase">What it is multiplied by on every rung.</param>
/// <param name="Maximum">Where it ends.</param>
internal sealed record DampingSchedule(double First, double Increase, double Maximum);
