namespace SparseExpansion.Routing;

/// <summary>A trainer that can tell beforehand what it takes.</summary>
internal interface ISizedRouterTrainer
{
    /// <summary>Most experts that come out.</summary>
    int MostExperts { get; }

    /// <summary>Bytes on the device while a router is fitted, about.</summary>
    long BytesToFit(long tokens, long features);

    /// <summary>Floating-point operations of a fit, about.</summary>
    double WorkToFit(long tokens, long features);
}
