namespace SparseExpansion.Cli.Hosting;

/// <summary>Receives the progress of some work.</summary>
/// <param name="share">Fraction done, in [0, 1].</param>
/// <param name="text">Current activity.</param>
/// <param name="finished">Message about something just finished that deserves a line of its own, such as a block; null
/// otherwise.</param>
internal delegate void ProgressHandler(double share, ProgressText text, string? finished = null);
