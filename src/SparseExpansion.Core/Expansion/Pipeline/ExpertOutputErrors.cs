namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Errors that pruning causes in the outputs of the experts of one linear.</summary>
/// <param name="Lost">‖X(W − P)ᵀ‖² for each expert over the tokens X that are routed to it.</param>
/// <param name="Energy">‖XWᵀ‖² for each expert.</param>
internal sealed record ExpertOutputErrors(double[] Lost, double[] Energy)
{
    /// <summary>Relative error of each expert; 0 for one without tokens.</summary>
    public double[] PerExpert => [.. Lost.Zip(Energy, Ratio)];

    /// <summary>Relative error of all tokens.</summary>
    public double Total => Ratio(Lost.Sum(), Energy.Sum());

    private static double Ratio(double lost, double energy) => energy > 0 ? lost / energy : 0;
}
