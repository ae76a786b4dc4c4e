using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Threading;
using SparseExpansion.Inference.Caching;

namespace SparseExpansion.Inference.Attention;

/// <summary>
/// Causal attention over the pages of a cache, with the softmax of a row carried from page to page (Milakov &amp;
/// Gimelshein 2018; Dao et al. 2022). An item is a block of rows, a row being a token and a head, of one key and value
/// head. A row's result does not depend on the rows beside it, nor on the number of threads.
/// </summary>
internal sealed unsafe class PagedAttention : IParallelWork
{
    private const int MaximumRows = 16;
    private const int MinimumRows = 4;

    [ThreadStatic]
    private static PagedAttention? _current;

    private readonly WorkerScratch _scratch = new();
    private LayerPages? _pages;
    private AttentionQueries _queries;
    private InstructionSet _instructions;
    private int _group;
    private int _rowsPerItem;
    private int _blocks;

    /// <summary>Attends; all arguments as in <see cref="AttentionQueries"/>.</summary>
    /// <param name="pages">The layer's pages; they hold the keys and values of the queries' tokens too.</param>
    /// <param name="queries">Queries, and where the results belong.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="instructions">Null: the widest that the processor has.</param>
    /// <exception cref="ArgumentException">The heads do not fit, or positions are not in the cache.</exception>
    public static void Run(
        LayerPages pages, in AttentionQueries queries, int threads, InstructionSet? instructions = null)
    {
        Check(pages, queries);
        if (queries.Count > 0)
        {
            (_current ??= new PagedAttention()).Attend(pages, queries, threads, instructions ?? InstructionSets.Best);
        }
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        int firstRow = item % _blocks * _rowsPerItem;
        var block = new AttentionBlock(
            _pages!, _queries, _instructions, item / _blocks, firstRow,
            Math.Min(_rowsPerItem, (_queries.Count * _group) - firstRow), _scratch.Of(worker));
        switch (_pages!.Layout.Format)
        {
            case CacheFormat.Float32:
                block.Run<Float32Format>();
                break;
            case CacheFormat.BFloat16:
                block.Run<BFloat16Format>();
                break;
            default:
                block.Run<Int8Format>();
                break;
        }
    }

    private static void Check(LayerPages pages, in AttentionQueries queries)
    {
        PageLayout layout = pages.Layout;
        if (queries.Heads <= 0 || queries.Heads % layout.Heads != 0)
        {
            throw new ArgumentException(
                $"{queries.Heads} query heads do not share {layout.Heads} key and value heads evenly.", nameof(queries));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(queries.Count, nameof(queries));
        ArgumentOutOfRangeException.ThrowIfNegative(queries.Position, nameof(queries));
        int first = pages.FirstSeenFrom(queries.Position), end = queries.Position + queries.Count;
        if (queries.Count > 0 && (first < pages.FirstPosition || end > pages.End * layout.Tokens))
        {
            throw new ArgumentException(
                $"The queries see positions {first} to {end - 1}; the cache has those from {pages.FirstPosition} to {(pages.End * layout.Tokens) - 1}.",
                nameof(queries));
        }
    }

    private void Attend(LayerPages pages, in AttentionQueries queries, int threads, InstructionSet instructions)
    {
        (_pages, _instructions) = (pages, instructions);
        _queries = queries;
        _group = queries.Heads / pages.Layout.Heads;
        int rows = checked(queries.Count * _group);
        _rowsPerItem = MaximumRows;
        while (_rowsPerItem > MinimumRows && Blocks(rows) * pages.Layout.Heads < threads)
        {
            _rowsPerItem /= 2;
        }

        _blocks = Blocks(rows);
        _scratch.Reserve(AttentionBlock.ScratchBytes(pages.Layout, Math.Min(_rowsPerItem, rows)), threads);
        try
        {
            WorkerPool.Run(this, _blocks * pages.Layout.Heads, threads);
        }
        finally
        {
            _pages = null;
        }
    }

    private int Blocks(int rows) => (rows + _rowsPerItem - 1) / _rowsPerItem;
}
