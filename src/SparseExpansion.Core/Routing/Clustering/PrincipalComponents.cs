using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

/// <summary>The directions in which tokens vary most; owns its tensors.</summary>
/// <param name="Components">Orthonormal rows, descending by variance, [components, features], float64.</param>
/// <param name="Variances">Variance along each component (divided by the
/// number of tokens), [components], float64.</param>
/// <param name="TotalVariance">Variance over all features.</param>
internal sealed record PrincipalComponents(Tensor Components, Tensor Variances, double TotalVariance) : IDisposable
{
    public void Dispose()
    {
        Components.Dispose();
        Variances.Dispose();
    }
}
