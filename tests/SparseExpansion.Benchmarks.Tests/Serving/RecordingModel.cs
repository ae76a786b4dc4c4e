namespace SparseExpansion.Comparison.Serving;

/// <summary>Keeps the lengths of the passes; 0 where everything was forgotten.</summary>
internal sealed class RecordingModel(float logit = 1) : IServedModel
{
    public List<int> Passes { get; } = [];

    public HashSet<int> Tokens { get; } = [];

    public void Clear() => Passes.Add(0);

    public float Read(ReadOnlySpan<int> tokens)
    {
        Passes.Add(tokens.Length);
        Tokens.UnionWith(tokens.ToArray());
        return logit;
    }

    public void Dispose()
    {
    }
}
