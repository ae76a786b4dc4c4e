using SparseExpansion.Inference.Decoder;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Loading;

/// <summary>A decoder with the files that its weights lie in.</summary>
/// <param name="Stack">The decoder.</param>
/// <param name="Routers">The routers that its mixtures share.</param>
/// <param name="Mixtures">The mixtures of the decoder.</param>
/// <param name="Files">The mapped files.</param>
internal sealed record LoadedModel(
    DecoderStack Stack, IReadOnlyList<TokenRouter> Routers, IReadOnlyList<MixtureLinear> Mixtures, TensorFiles Files) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Stack.Dispose();
        foreach (TokenRouter router in Routers)
        {
            router.Dispose();
        }

        Files.Dispose();
    }
}
