namespace SparseExpansion.Execution;

/// <summary>
/// Multiplies: an item is one panel of one expert with all of its tokens. Every output is summed inside one item and always in the
/// same order, so the number of threads cannot change a result.
/// </summary>
internal sealed unsafe class PanelWork : IParallelWork
{
    private NativeBuffer[] _accumulators = [];
    private ExpertPlan[] _experts = [];
    private TilePlan[] _tiles = [];
    private int _expertCount;
    private MatrixView _output;
    private int* _order;
    private float* _memory;
    private float* _bias;

    /// <summary>Sets the work.</summary>
    public void Prepare(ExpertPlan[] experts, int expertCount, TilePlan[] tiles, MatrixView output, int* order, float* memory, float* bias)
    {
        _experts = experts;
        _expertCount = expertCount;
        _tiles = tiles;
        _output = output;
        _order = order;
        _memory = memory;
        _bias = bias;
    }

    /// <summary>Makes room for the accumulators of every worker before any of them starts.</summary>
    public void ReserveAccumulators(int floats, int workers)
    {
        int have = _accumulators.Length;
        if (have < workers)
        {
            Array.Resize(ref _accumulators, workers);
            for (int i = have; i < workers; i++)
            {
                _accumulators[i] = new NativeBuffer();
            }
        }

        for (int i = 0; i < workers; i++)
        {
            _accumulators[i].Reserve((nuint)floats * sizeof(float));
        }
    }

    /// <summary>Multiplies all.</summary>
    public void Run(int threads)
    {
        ref readonly ExpertPlan last = ref _experts[_expertCount - 1];
        WorkerPool.Run(this, last.FirstItem + last.PanelCount, threads);
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        int index = _expertCount - 1;
        while (_experts[index].FirstItem > item)
        {
            index--;
        }

        ref readonly ExpertPlan expert = ref _experts[index];
        MultiplyPanel(in expert, item - expert.FirstItem, (float*)_accumulators[worker].Pointer);
    }

    private void MultiplyPanel(in ExpertPlan expert, int panel, float* accumulators)
    {
        PackedWeight weight = expert.Weight;
        PackedLayout layout = weight.Layout;
        new Span<float>(accumulators, expert.AccumulatorLength).Clear();
        PanelBlock block = FirstBlock(weight, expert.Indices, panel);
        ReadOnlySpan<TilePlan> tiles = _tiles.AsSpan(expert.FirstTile, expert.TileCount);
        for (int b = 0; b < layout.BlockCount; b++)
        {
            nint read = 0;
            foreach (ref readonly TilePlan tile in tiles)
            {
                float* tokens = _memory + tile.TileOffset + (long)b * layout.BlockColumns * tile.Kernel.Lanes;
                read = tile.Kernel.Run(&block, tokens, accumulators + tile.AccumulatorOffset);
            }

            Advance(ref block, read, weight.ValueSize);
        }

        foreach (ref readonly TilePlan tile in tiles)
        {
            int firstRow = panel * layout.PanelRows;
            TileReader.Read(
                accumulators + tile.AccumulatorOffset, tile.Kernel, _order + tile.FirstToken, tile.Tokens, _output, firstRow, block.Rows,
                _bias is null ? null : _bias + firstRow);
        }
    }

    private static PanelBlock FirstBlock(PackedWeight weight, PackedIndices? indices, int panel)
    {
        PackedLayout layout = weight.Layout;
        long piece = layout.FirstRowBlock(panel);
        long value = weight.PanelOffsets[panel];
        return new PanelBlock
        {
            Values = weight.Values + value * weight.ValueSize,
            Masks = weight.Masks + piece * layout.MaskBytes,
            RowOrder = weight.RowOrder + piece,
            Indices = indices is null ? null : indices.Columns + value,
            Counts = indices is null ? null : indices.Counts + piece,
            Rows = layout.RowsIn(panel),
            Columns = layout.BlockColumns,
        };
    }

    private static void Advance(ref PanelBlock block, nint read, int valueSize)
    {
        block.Values += read * valueSize;
        block.Masks += (nint)block.Rows * block.Columns / 8;
        block.RowOrder += block.Rows;
        if (block.Indices is not null)
        {
            block.Indices += read;
            block.Counts += block.Rows;
        }
    }
}
