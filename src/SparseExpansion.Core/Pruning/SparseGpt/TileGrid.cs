using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Quantization;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>
/// The grids of the rows of a <see cref="RowTile"/>, one vector a group; the same operations as
/// <see cref="GridFunctions"/>. Not for concurrent use.
/// </summary>
internal sealed unsafe class TileGrid : IDisposable
{
    private readonly int _groups;
    private readonly float _maximumCode;
    private readonly float* _scales;
    private readonly float* _zeros;

    /// <param name="quantization">Bits and groups.</param>
    /// <param name="width">Columns of the tile.</param>
    public TileGrid(WeightQuantization quantization, int width)
    {
        GroupSize = quantization.GroupSize ?? 0;
        _groups = quantization.GroupCount(width);
        _maximumCode = quantization.MaximumCode;
        _scales = (float*)NativeMemory.AlignedAlloc((nuint)(2 * _groups * RowTile.Rows * sizeof(float)), 64);
        _zeros = _scales + (_groups * RowTile.Rows);
        new Span<float>(_scales, _groups * RowTile.Rows).Fill(1);
        new Span<float>(_zeros, _groups * RowTile.Rows).Clear();
    }

    /// <summary>Columns of a group; 0 if every row has one grid, which is given.</summary>
    public int GroupSize { get; }

    /// <summary>Reads given grids.</summary>
    /// <param name="scales">Scale of the tile's first group in its first row.</param>
    /// <param name="zeros">The zero point there.</param>
    /// <param name="stride">Groups from row to row.</param>
    /// <param name="height">Rows to take.</param>
    public void Load(float* scales, float* zeros, long stride, int height)
    {
        for (int row = 0; row < height; row++)
        {
            for (int group = 0; group < _groups; group++)
            {
                _scales[(group * RowTile.Rows) + row] = scales[(row * stride) + group];
                _zeros[(group * RowTile.Rows) + row] = zeros[(row * stride) + group];
            }
        }
    }

    /// <summary>Writes the grids back; see <see cref="Load"/>.</summary>
    public void Store(float* scales, float* zeros, long stride, int height)
    {
        for (int row = 0; row < height; row++)
        {
            for (int group = 0; group < _groups; group++)
            {
                scales[(row * stride) + group] = _scales[(group * RowTile.Rows) + row];
                zeros[(row * stride) + group] = _zeros[(group * RowTile.Rows) + row];
            }
        }
    }

    /// <summary>Makes the grid of the group that begins at a column from the weights as they stand there.</summary>
    /// <param name="weights">The tile's weights.</param>
    /// <param name="masks">All bits set for what goes.</param>
    /// <param name="column">First column of the group.</param>
    /// <param name="width">Columns of the tile.</param>
    public void Fit(float* weights, uint* masks, int column, int width)
    {
        Vector512<float> minimum = Vector512<float>.Zero, maximum = Vector512<float>.Zero;
        for (int j = column; j < Math.Min(column + GroupSize, width); j++)
        {
            Vector512<float> weight = Vector512.LoadAligned(weights + (j * RowTile.Rows));
            weight = Vector512.AndNot(weight, Vector512.LoadAligned(masks + (j * RowTile.Rows)).AsSingle());
            minimum = Vector512.Min(minimum, weight);
            maximum = Vector512.Max(maximum, weight);
        }

        Vector512<float> scale = (HostVectors.ToBFloat16((maximum - minimum) / Vector512.Create(_maximumCode)) << 16)
            .AsSingle();
        scale = Vector512.ConditionalSelect(
            Vector512.Equals(scale, Vector512<float>.Zero), Vector512<float>.One, scale);
        Vector512<float> zero = Clamp(Vector512.Round(-minimum / scale));
        int group = column / GroupSize * RowTile.Rows;
        scale.StoreAligned(_scales + group);
        zero.StoreAligned(_zeros + group);
    }

    /// <summary>The values of the grids nearest to the weights of a column.</summary>
    public Vector512<float> Round(Vector512<float> weight, int column)
    {
        int group = GroupSize == 0 ? 0 : column / GroupSize * RowTile.Rows;
        Vector512<float> scale = Vector512.LoadAligned(_scales + group), zero = Vector512.LoadAligned(_zeros + group);
        return (Clamp(Vector512.Round(weight / scale) + zero) - zero) * scale;
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_scales);

    private Vector512<float> Clamp(Vector512<float> code) =>
        Vector512.Min(Vector512.Max(code, Vector512<float>.Zero), Vector512.Create(_maximumCode));
}
