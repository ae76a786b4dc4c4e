using SparseExpansion.Comparison.Serving;
using SparseExpansion.Inference;

namespace SparseExpansion.Benchmarks.Peers;

/// <summary>A folder in the managed engine.</summary>
internal sealed class ManagedModel : IServedModel
{
    private readonly InferenceModel _model;
    private readonly InferenceSession _session;
    private InferenceSequence _sequence;

    /// <summary>Maps a folder; as many threads as the machine has processors.</summary>
    public ManagedModel(string folder)
    {
        _model = InferenceModel.Load(folder, new InferenceOptions { ChunkTokens = 512 });
        _session = _model.CreateSession();
        _sequence = _model.CreateSequence();
    }

    public void Clear()
    {
        _sequence.Dispose();
        _sequence = _model.CreateSequence();
    }

    public float Read(ReadOnlySpan<int> tokens) => _session.Append(_sequence, tokens)[0];

    public void Dispose()
    {
        _sequence.Dispose();
        _session.Dispose();
        _model.Dispose();
    }
}
