using SparseExpansion.Inference.Attention;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Models;
using SparseExpansion.Models.Families;

namespace SparseExpansion.Inference.Decoder;

/// <summary>Causal attention of a block, with the parts that the configuration names.</summary>
/// <param name="config">The architecture.</param>
/// <param name="layer">Number of the block.</param>
/// <param name="projection">Gives queries, keys and values.</param>
/// <param name="output">Projection of the results.</param>
/// <param name="queryNorm">Norm of the queries, or null.</param>
/// <param name="keyNorm">Norm of the keys, or null.</param>
internal sealed unsafe class SelfAttention(
    ModelConfig config, int layer, HeadProjection projection, Linear output, HeadNorm? queryNorm, HeadNorm? keyNorm)
    : IDisposable
{
    private readonly int _queries = config.HeadCount * config.HeadDimension;
    private readonly int _keys = config.KeyValueHeadCount * config.HeadDimension;
    private readonly float _scale = (float)(config.Layers[layer].AttentionFactor
        * (config.AttentionScale ?? 1 / Math.Sqrt(config.HeadDimension)));

    private nint Stride => _queries + 2 * _keys;

    /// <summary>Attends.</summary>
    /// <param name="pass">The tokens.</param>
    /// <param name="input">[tokens, hidden].</param>
    /// <param name="results">[tokens, hidden].</param>
    public void Run(DecoderPass pass, float* input, float* results)
    {
        float* heads = pass.Reserve(PassMemory.Heads, pass.Count * (long)Stride);
        pass.Input.Set(input, config.HiddenSize, pass.Count);
        projection.Run(pass, heads, Stride);
        Prepare(pass, heads);
        float* mixed = pass.Reserve(PassMemory.Mixed, (long)pass.Count * _queries);
        foreach (ref readonly PassSegment segment in pass.Segments)
        {
            Attend(pass, segment, heads + segment.First * Stride, mixed + (nint)segment.First * _queries);
        }

        pass.Input.Set(mixed, _queries, pass.Count);
        output.Multiply(pass.Input, results, config.HiddenSize);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        projection.Dispose();
        output.Dispose();
    }

    /// <summary>Norms and positions.</summary>
    private void Prepare(DecoderPass pass, float* heads)
    {
        RotaryAngles? angles = pass.Angles(layer);
        for (int token = 0; token < pass.Count; token++, heads += Stride)
        {
            queryNorm?.Apply(heads, _queries);
            keyNorm?.Apply(heads + _queries, _keys);

            // Keys follow the queries.
            angles?.Rotate(token, new Span<float>(heads, _queries + _keys), config.HeadDimension);
        }
    }

    private void Attend(DecoderPass pass, PassSegment segment, float* heads, float* mixed)
    {
        float* keys = heads + _queries;
        segment.Cache.Store(layer, segment.Count, keys, keys + _keys, Stride);
        PagedAttention.Run(
            segment.Cache.Layer(layer),
            new AttentionQueries
            {
                Queries = heads,
                QueryStride = Stride,
                Output = mixed,
                OutputStride = _queries,
                Position = segment.Cache.Length,
                Count = segment.Count,
                Heads = config.HeadCount,
                Scale = _scale,
                SoftCap = (float?)config.AttentionSoftCap,
            },
            pass.Threads);
    }
}
