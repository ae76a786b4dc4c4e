using SparseExpansion.Comparison.Serving;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Peers;

/// <summary>A folder in the modules of SparseExpansion.Transformers, on libtorch.</summary>
internal sealed class TorchModel : IServedModel
{
    private readonly CausalLanguageModel _model;
    private KeyValueCache _cache;

    /// <summary>Loads a folder by the defaults, so that experts are used in the mapped file; llama.cpp maps its files too.</summary>
    public TorchModel(string folder)
    {
        _model = PretrainedModel.Load(folder);
        _cache = _model.CreateCache();
    }

    public void Clear()
    {
        _cache.Dispose();
        _cache = _model.CreateCache();
    }

    public float Read(ReadOnlySpan<int> tokens)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor input = tensor(Array.ConvertAll(tokens.ToArray(), token => (long)token)).view(1, -1);
        return _model.PredictNext(input, _cache).flatten()[0].item<float>();
    }

    public void Dispose()
    {
        _cache.Dispose();
        _model.Dispose();
    }
}
