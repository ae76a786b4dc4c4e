using SparseExpansion.Inference.Caching;

namespace SparseExpansion.Inference.Attention;

/// <summary>Random queries, keys and values; past tokens advanced one step, the new ones stored.</summary>
internal sealed unsafe class AttentionProblem : IDisposable
{
    private readonly AttentionCase _case;
    private readonly PagePool _pool;
    private readonly SequenceCache _cache;
    private readonly float[] _queries, _keys, _values;
    private readonly float _scale;

    public AttentionProblem(AttentionCase sizes)
    {
        _case = sizes;
        _scale = 1 / MathF.Sqrt(sizes.Features);
        var random = new Random((100 * sizes.Past) + sizes.Features);
        int total = sizes.Past + sizes.Count;
        _queries = Numbers(sizes.Count * sizes.Heads * sizes.Features, sizes.Magnitude);
        _keys = Numbers(total * sizes.KeyValueHeads * sizes.Features, 1);
        _values = Numbers(total * sizes.KeyValueHeads * sizes.Features, 1);
        _pool = new PagePool(new PageLayout(sizes.KeyValueHeads, sizes.Features, sizes.Format, sizes.PageTokens), 1 << 24);
        _cache = new SequenceCache(_pool, [sizes.Window]);
        Store(0, sizes.Past);
        _cache.Advance(sizes.Past);
        Store(sizes.Past, sizes.Count);

        float[] Numbers(int count, float magnitude) =>
            [.. Enumerable.Range(0, count).Select(_ => magnitude * (float)((2 * random.NextDouble()) - 1))];
    }

    public float[] Run(int threads, float[]? output = null)
    {
        output ??= new float[_queries.Length];
        Attend(_queries, output, 0, _case.Count, _case.Heads, _case.Past, threads);
        return output;
    }

    public float[] RunOneByOne()
    {
        float[] output = new float[_queries.Length];
        for (int token = 0; token < _case.Count; token++)
        {
            Attend(_queries, output, token, 1, _case.Heads, _case.Past + token, 1);
        }

        return output;
    }

    public float[] RunInPlace()
    {
        float[] output = [.. _queries];
        Attend(output, output, 0, _case.Count, _case.Heads, _case.Past, 2);
        return output;
    }

    public void Attend(int heads, int position) =>
        Attend(_queries, new float[_queries.Length], 0, 1, heads, position, 1);

    /// <summary>Softmax of all scores of a row at once, in float64, on the numbers before they were stored.</summary>
    public double[] Expected()
    {
        double[] output = new double[_queries.Length];
        for (int token = 0; token < _case.Count; token++)
        {
            for (int head = 0; head < _case.Heads; head++)
            {
                int end = _case.Past + token + 1, first = Math.Max(0, end - (_case.Window ?? end));
                double[] scores = [.. Enumerable.Range(first, end - first).Select(key => Score(token, head, key))];
                double[] weights = [.. scores.Select(score => Math.Exp(score - scores.Max()))];
                double total = weights.Sum();
                for (int i = 0; i < _case.Features; i++)
                {
                    output[(((token * _case.Heads) + head) * _case.Features) + i] =
                        weights.Select((weight, key) => weight * _values[KeyValue(first + key, head) + i]).Sum() / total;
                }
            }
        }

        return output;
    }

    public void Dispose()
    {
        _cache.Dispose();
        Assert.Equal(0, _pool.InUse);
        _pool.Dispose();
        Assert.Equal(0, _pool.Allocated);
    }

    private double Score(int token, int head, int key)
    {
        int query = ((token * _case.Heads) + head) * _case.Features;
        double sum = 0;
        for (int i = 0; i < _case.Features; i++)
        {
            sum += (double)_queries[query + i] * _keys[KeyValue(key, head) + i];
        }

        sum *= _scale;
        return _case.SoftCap is { } cap ? cap * Math.Tanh(sum / cap) : sum;
    }

    private int KeyValue(int position, int head) =>
        ((position * _case.KeyValueHeads) + (head / _case.Group)) * _case.Features;

    private void Store(int first, int count)
    {
        int stride = _case.KeyValueHeads * _case.Features;
        _cache.Reserve(count);
        fixed (float* keys = _keys, values = _values)
        {
            _cache.Store(0, count, keys + (first * stride), values + (first * stride), stride);
        }
    }

    private void Attend(float[] queries, float[] output, int first, int count, int heads, int position, int threads)
    {
        int stride = _case.Heads * _case.Features;
        fixed (float* source = queries, target = output)
        {
            var all = new AttentionQueries
            {
                Queries = source + (first * stride),
                QueryStride = stride,
                Output = target + (first * stride),
                OutputStride = stride,
                Position = position,
                Count = count,
                Heads = heads,
                Scale = _scale,
                SoftCap = _case.SoftCap,
            };
            PagedAttention.Run(_cache.Layer(0), all, threads, _case.Instructions);
        }
    }
}
