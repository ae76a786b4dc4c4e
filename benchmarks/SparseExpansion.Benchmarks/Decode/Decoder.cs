using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Decode;

/// <summary>Repeatedly decodes one token after a prompt of fixed length.</summary>
internal sealed class Decoder : IDisposable
{
    private const int PromptTokens = 32;

    private readonly CausalLanguageModel _model;
    private readonly KeyValueCache _cache;
    private readonly Tensor[] _tokens;
    private int _next;

    public Decoder(CausalLanguageModel model)
    {
        using var noGrad = no_grad();
        _model = model;
        _cache = model.CreateCache();
        using Tensor prompt = randint(0, 32_000, [1, PromptTokens], ScalarType.Int64);
        using Tensor logits = model.forward(prompt, _cache);
        _tokens = [.. Enumerable.Range(0, 64).Select(_ => randint(0, 32_000, [1, 1], ScalarType.Int64))];
    }

    /// <summary>
    /// One token through the whole model; each call takes another token, so that routers choose other experts.
    /// </summary>
    public void Step()
    {
        using var noGrad = no_grad();
        using Tensor logits = _model.forward(_tokens[_next++ % _tokens.Length], _cache);
        _cache.Truncate(PromptTokens);
    }

    public void Dispose()
    {
        Array.ForEach(_tokens, token => token.Dispose());
        _cache.Dispose();
        _model.Dispose();
    }
}
