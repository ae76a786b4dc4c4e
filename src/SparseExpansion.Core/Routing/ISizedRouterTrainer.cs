namespace SparseExpansion.Routing;

/// <summary>
/// A trainer that reports its memory and work beforehand, for memory plans. One that does not is counted as one of 16
/// experts that copies the tokens and reads them once.
/// </summary>
public interface ISizedRouterTrainer : IRouterTrainer
{
    /// <summary>Most experts that come out.</summary>
    int MostExperts { get; }

    /// <summary>
    /// Bytes on the device while a router is fitted, about; without the tokens that it reads in chunks.
    /// </summary>
    /// <param name="tokens">Number of calibration tokens.</param>
    /// <param name="features">Width of a token.</param>
    long BytesToFit(long tokens, long features);

    /// <summary>Floating-point operations of a fit, about.</summary>
    /// <param name="tokens">Number of calibration tokens.</param>
    /// <param name="features">Width of a token.</param>
    double WorkToFit(long tokens, long features);
}
