using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Dense;
using SparseExpansion.Inference.Caching;

namespace SparseExpansion.Inference.Attention;

/// <summary>Attention of some rows that share a key and value head.</summary>
internal unsafe ref struct AttentionBlock
{
    private readonly LayerPages _pages;
    private readonly ref readonly AttentionQueries _queries;
    private readonly InstructionSet _instructions;
    private readonly int _keyValueHead;
    private readonly int _group;
    private readonly int _firstRow;
    private readonly int _rows;
    private readonly int _features;
    private readonly int _pageTokens;
    private readonly float* _scaledQueries;
    private readonly float* _sums;
    private readonly float* _scores;
    private readonly float* _largest;
    private readonly float* _totals;

    /// <summary>A block.</summary>
    /// <param name="pages">The layer's pages.</param>
    /// <param name="queries">All queries.</param>
    /// <param name="instructions">The instruction set.</param>
    /// <param name="keyValueHead">The head that the rows share.</param>
    /// <param name="firstRow">First row; row r is token r / group with the head's query head r % group.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="scratch">As many bytes as <see cref="ScratchBytes"/> says.</param>
    public AttentionBlock(
        LayerPages pages, in AttentionQueries queries, InstructionSet instructions, int keyValueHead, int firstRow,
        int rows, byte* scratch)
    {
        (_pages, _instructions, _keyValueHead) = (pages, instructions, keyValueHead);
        (_firstRow, _rows) = (firstRow, rows);
        _queries = ref queries;
        _group = queries.Heads / pages.Layout.Heads;
        _features = pages.Layout.Features;
        _pageTokens = pages.Layout.Tokens;
        _scaledQueries = (float*)scratch;
        _sums = _scaledQueries + (nint)rows * _features;
        _scores = _sums + (nint)rows * _features;
        _largest = _scores + (nint)rows * _pageTokens;
        _totals = _largest + rows;
    }

    private int FirstToken => _firstRow / _group;

    private int LastToken => (_firstRow + _rows - 1) / _group;

    /// <summary>Bytes of scratch memory for some rows.</summary>
    public static nuint ScratchBytes(in PageLayout layout, int rows) =>
        (nuint)rows * (nuint)((2 * layout.Features) + layout.Tokens + 2) * sizeof(float);

    /// <summary>Attends to all pages that the rows see, one after the other.</summary>
    public void Run<TFormat>()
        where TFormat : struct, IValueFormat
    {
        Begin();
        int first = _pages.FirstSeenFrom(_queries.Position + FirstToken);
        int end = _queries.Position + LastToken + 1;
        for (int pageStart = first - (first % _pageTokens); pageStart < end; pageStart += _pageTokens)
        {
            int from = Math.Max(first - pageStart, 0), to = Math.Min(end - pageStart, _pageTokens);
            Attend<TFormat>((byte*)_pages.PageOf(pageStart), pageStart, from, to);
        }

        Finish();
    }

    private void Begin()
    {
        for (int row = 0; row < _rows; row++)
        {
            var target = new Span<float>(_scaledQueries + (nint)row * _features, _features);
            var query = new ReadOnlySpan<float>(
                _queries.Queries + Token(row) * _queries.QueryStride + (nint)Head(row) * _features, _features);
            TensorPrimitives.Multiply(query, _queries.Scale, target);
            _largest[row] = float.NegativeInfinity;
            _totals[row] = 0;
        }

        new Span<float>(_sums, _rows * _features).Clear();
    }

    /// <summary>Adds the tokens from … to − 1 of a page, of which each row takes those that it sees.</summary>
    private void Attend<TFormat>(byte* page, int pageStart, int from, int to)
        where TFormat : struct, IValueFormat
    {
        PageLayout layout = _pages.Layout;
        var block = new DenseBlock
        {
            Weight = page + layout.Keys(_keyValueHead) + from * layout.TokenBytes,
            WeightStride = layout.TokenBytes,
            Rows = to - from,
            Columns = _features,
            Input = _scaledQueries,
            InputStride = _features,
            Tokens = _rows,
            Output = _scores + from,
            OutputStride = _pageTokens,
        };
        DenseKernels<TFormat>.Multiply(_instructions, block);
        bool hasScales = layout.Format == CacheFormat.Int8;
        for (int row = 0; row < _rows; row++)
        {
            int position = _queries.Position + (int)Token(row);
            int rowFrom = Math.Max(from, _pages.FirstSeenFrom(position) - pageStart);
            int rowTo = Math.Min(to, position + 1 - pageStart);
            if (rowFrom >= rowTo)
            {
                new Span<float>(_scores + (nint)row * _pageTokens + from, to - from).Clear();
                continue;
            }

            float* start = _scores + (nint)row * _pageTokens;
            var scores = new Span<float>(start + rowFrom, rowTo - rowFrom);
            if (hasScales)
            {
                Scale(scores, (float*)(page + layout.KeyScales(_keyValueHead)) + rowFrom);
            }

            Weigh(row, scores);
            if (hasScales)
            {
                Scale(scores, (float*)(page + layout.ValueScales(_keyValueHead)) + rowFrom);
            }

            // The sums go over what any row of the block sees.
            new Span<float>(start + from, rowFrom - from).Clear();
            new Span<float>(start + rowTo, to - rowTo).Clear();
        }

        var sum = new WeightedSum
        {
            Rows = page + layout.Values(_keyValueHead) + from * layout.TokenBytes,
            RowStride = layout.TokenBytes,
            Count = to - from,
            Columns = _features,
            Factors = _scores + from,
            FactorStride = _pageTokens,
            Target = _sums,
            TargetStride = _features,
            Sums = _rows,
        };
        DenseKernels<TFormat>.AddWeighted(_instructions, sum);
    }

    private static void Scale(Span<float> numbers, float* scales) =>
        TensorPrimitives.Multiply(numbers, new ReadOnlySpan<float>(scales, numbers.Length), numbers);

    /// <summary>Turns scores to exp(score − largest so far), and what was summed before to the same measure.</summary>
    private readonly void Weigh(int row, Span<float> scores)
    {
        if (_queries.SoftCap is { } cap)
        {
            TensorPrimitives.Divide(scores, cap, scores);
            TensorPrimitives.Tanh(scores, scores);
            TensorPrimitives.Multiply(scores, cap, scores);
        }

        float before = _largest[row], largest = MathF.Max(before, TensorPrimitives.Max(scores));
        if (largest != before)
        {
            float factor = MathF.Exp(before - largest);
            var sums = new Span<float>(_sums + (nint)row * _features, _features);
            TensorPrimitives.Multiply(sums, factor, sums);
            _totals[row] *= factor;
            _largest[row] = largest;
        }

        TensorPrimitives.Subtract(scores, largest, scores);
        TensorPrimitives.Exp(scores, scores);
        _totals[row] += Sum(scores);
    }

    private void Finish()
    {
        for (int row = 0; row < _rows; row++)
        {
            var output = new Span<float>(
                _queries.Output + Token(row) * _queries.OutputStride + (nint)Head(row) * _features, _features);
            TensorPrimitives.Divide(
                new ReadOnlySpan<float>(_sums + (nint)row * _features, _features), _totals[row], output);
        }
    }

    /// <summary>A sum in an order that does not depend on the address, unlike that of tensor primitives.</summary>
    private static float Sum(ReadOnlySpan<float> numbers)
    {
        Vector<float> sums = Vector<float>.Zero;
        int i = 0;
        for (; i + Vector<float>.Count <= numbers.Length; i += Vector<float>.Count)
        {
            sums += new Vector<float>(numbers[i..]);
        }

        float sum = Vector.Sum(sums);
        for (; i < numbers.Length; i++)
        {
            sum += numbers[i];
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly nint Token(int row) => (_firstRow + row) / _group;

    private readonly int Head(int row) => (_keyValueHead * _group) + ((_firstRow + row) % _group);
}
