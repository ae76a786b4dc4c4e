using SparseExpansion.Execution.Threading;

namespace SparseExpansion.Execution.Tiling;

/// <summary>Writes the tiles of a plan, in pieces of a tile and some blocks.</summary>
internal sealed unsafe class GatherWork : IParallelWork
{
    // Below this many floats a second thread costs more than it gives.
    private const long SerialFloats = 32 * 1024;
    private const int PieceFloats = 16 * 1024;
    private const int MostPieces = 64;
    private TilePlan[] _tiles = [];
    private int _tileCount;
    private MatrixView _tokens;
    private int* _order;
    private float* _memory;
    private int _piecesPerTile;

    /// <summary>Sets the work.</summary>
    public void Prepare(TilePlan[] tiles, int tileCount, MatrixView tokens, int* order, float* memory)
    {
        _tiles = tiles;
        _tileCount = tileCount;
        _tokens = tokens;
        _order = order;
        _memory = memory;
    }

    /// <summary>Writes all tiles, which have so many floats together.</summary>
    public void Run(long floats, int threads)
    {
        _piecesPerTile = (int)Math.Clamp(floats / _tileCount / PieceFloats, 1, MostPieces);
        WorkerPool.Run(this, _tileCount * _piecesPerTile, floats < SerialFloats ? 1 : threads);
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        ref readonly TilePlan tile = ref _tiles[item / _piecesPerTile];
        int piece = item % _piecesPerTile;
        TileWriter.Write(
            _tokens, _order + tile.FirstToken, tile.Tokens, tile.Kernel, tile.Layout, _memory + tile.TileOffset,
            tile.Layout.BlockCount * piece / _piecesPerTile, tile.Layout.BlockCount * (piece + 1) / _piecesPerTile);
    }
}
