using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Threading;

namespace SparseExpansion.Execution.Tiling;

/// <summary>
/// Multiplies: an item is one panel of one expert with all of its tokens. Every output is summed inside one item and
/// always in the same order, so the number of threads cannot change a result.
/// </summary>
internal sealed unsafe class PanelWork : IParallelWork
{
    private readonly WorkerScratch _accumulators = new();
    private readonly WorkerScratch _scratch = new();
    private ExpertPlan[] _experts = [];
    private TilePlan[] _tiles = [];
    private int _expertCount;
    private MatrixView _output;
    private int* _order;
    private float* _memory;
    private float* _bias;

    /// <summary>Sets the work.</summary>
    public void Prepare(
        ExpertPlan[] experts, int expertCount, TilePlan[] tiles, MatrixView output, int* order, float* memory,
        float* bias)
    {
        _experts = experts;
        _expertCount = expertCount;
        _tiles = tiles;
        _output = output;
        _order = order;
        _memory = memory;
        _bias = bias;
    }

    /// <summary>Lets go of the weights.</summary>
    public void Forget()
    {
        _experts = [];
        _expertCount = 0;
    }

    /// <summary>Makes room for the accumulators and decoded values of every worker before any of them starts.</summary>
    public void Reserve(int accumulatorFloats, int scratchBytes, int workers)
    {
        _accumulators.Reserve((nuint)accumulatorFloats * sizeof(float), workers);
        _scratch.Reserve((nuint)scratchBytes, workers);
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
        MultiplyPanel(
            in expert, item - expert.FirstItem, (float*)_accumulators.Of(worker), _scratch.Of(worker));
    }

    private void MultiplyPanel(in ExpertPlan expert, int panel, float* accumulators, byte* scratch)
    {
        PackedLayout layout = expert.Weight.Layout;
        new Span<float>(accumulators, expert.AccumulatorLength).Clear();
        ReadOnlySpan<TilePlan> tiles = _tiles.AsSpan(expert.FirstTile, expert.TileCount);
        if (expert.Weight.Bits > 0)
        {
            MultiplyEncoded(in expert, panel, tiles, accumulators, scratch);
        }
        else
        {
            MultiplyStored(in expert, panel, tiles, accumulators, scratch);
        }

        foreach (ref readonly TilePlan tile in tiles)
        {
            int firstRow = panel * layout.PanelRows;
            TileReader.Read(
                accumulators + tile.AccumulatorOffset, tile.Kernel, _order + tile.FirstToken, tile.Tokens, _output,
                firstRow, layout.RowsIn(panel), _bias is null ? null : _bias + firstRow);
        }
    }

    private void MultiplyStored(
        in ExpertPlan expert, int panel, ReadOnlySpan<TilePlan> tiles, float* accumulators, byte* scratch)
    {
        PanelBlock block = FirstBlock(expert.Weight, expert.Indices, panel);
        for (int b = 0; b < expert.Weight.Layout.BlockCount; b++)
        {
            if (expert.ListColumns)
            {
                BlockColumnList.Fill(ref block, scratch, expert.Wide);
            }

            nint read = MultiplyBlock(b, &block, tiles, accumulators);
            Advance(ref block, read, expert.Weight.ValueSize);
        }
    }

    /// <summary>
    /// Decodes a few row pieces and multiplies them; all of a block where several tiles share the work.
    /// </summary>
    private void MultiplyEncoded(
        in ExpertPlan expert, int panel, ReadOnlySpan<TilePlan> tiles, float* accumulators, byte* scratch)
    {
        PackedLayout layout = expert.Weight.Layout;
        EncodedBlock source = PanelDecoder.FirstBlock(expert.Weight, panel);
        int pieces = tiles.Length == 1 ? PanelDecoder.PiecesForOneTile : source.Rows;
        for (int b = 0; b < layout.BlockCount; b++)
        {
            for (int slot = 0; slot < source.Rows; slot += pieces)
            {
                PanelBlock block = PanelDecoder.Next(
                    ref source, slot, Math.Min(pieces, source.Rows - slot), layout, scratch, expert.ListColumns,
                    expert.Wide);
                MultiplyBlock(b, &block, tiles, accumulators);
            }

            PanelDecoder.NextBlock(ref source);
        }
    }

    private nint MultiplyBlock(int index, PanelBlock* block, ReadOnlySpan<TilePlan> tiles, float* accumulators)
    {
        nint read = 0;
        foreach (ref readonly TilePlan tile in tiles)
        {
            float* tokens = _memory + tile.TileOffset + (long)index * block->Columns * tile.Kernel.Lanes;
            read = tile.Kernel.Run(block, tokens, accumulators + tile.AccumulatorOffset);
        }

        return read;
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
