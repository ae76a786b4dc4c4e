using SparseExpansion.Inference.Decoder;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Loading;

/// <summary>A decoder with the files that its weights lie in.</summary>
/// <param name="Stack">The decoder.</param>
/// <param name="Routers">The routers that its mixtures share.</param>
/// <param name="Coded">The layers of the decoder whose weights may be in codes.</param>
/// <param name="Files">The mapped files.</param>
internal sealed record LoadedModel(
    DecoderStack Stack, IReadOnlyList<TokenRouter> Routers, IReadOnlyList<ICodedLinear> Coded, TensorFiles Files) : IDisposable
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
