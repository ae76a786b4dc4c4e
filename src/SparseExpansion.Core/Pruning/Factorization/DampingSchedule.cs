namespace SparseExpansion.Pruning.Factorization;

/// <summary>The rungs of the damping ladder.</summary>
/// <param name="First">The first damping, as a fraction of the mean diagonal of a Hessian.</param>
/// <param name="Increase">Its factor on every rung.</param>
/// <param name="Maximum">The largest damping.</param>
internal sealed record DampingSchedule(double First, double Increase, double Maximum);
