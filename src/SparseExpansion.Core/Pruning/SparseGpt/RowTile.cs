using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>
/// A block of columns of 16 rows, turned so that a column of the rows is one vector: the column loop of SparseGPT then
/// needs no shuffles and no branches, and its operations are the same whatever the mask. Not for concurrent use.
/// </summary>
internal sealed unsafe class RowTile : IDisposable
{
    /// <summary>
    /// Rows of a tile, the lanes of a vector. Tiles may be filled in part: the other lanes hold zeros.
    /// </summary>
    public const int Rows = 16;

    /// <summary>
    /// Columns whose errors are gathered before later columns are touched, so that those are loaded and stored once for
    /// all.
    /// </summary>
    private const int MaximumStep = 16;

    private readonly int _width;
    private readonly int _step;
    private readonly int _groupSize;
    private readonly int _prunedPerGroup;
    private readonly float* _weights;
    private readonly float* _errors;
    private readonly uint* _masks;
    private readonly TileGrid? _grid;

    /// <param name="width">Columns of the block.</param>
    /// <param name="groups">N:M groups to choose; null for a given mask.</param>
    /// <param name="grid">The grid of the kept weights, with a given mask only; null to keep them as they are. The
    /// caller disposes it.</param>
    public RowTile(int width, NMTarget? groups, TileGrid? grid = null)
    {
        _width = width;
        _grid = grid;
        _groupSize = groups?.GroupSize ?? 0;
        _prunedPerGroup = groups is null ? 0 : groups.GroupSize - groups.Keep;
        _step = StepFor(_groupSize);
        nuint bytes = (nuint)(width * Rows * sizeof(float));
        _weights = (float*)NativeMemory.AlignedAlloc(bytes * 3, 64);
        _errors = _weights + (width * Rows);
        _masks = (uint*)(_errors + (width * Rows));
        new Span<float>(_weights, width * Rows * 3).Clear();
    }

    /// <summary>Fills the tile from rows in memory.</summary>
    /// <param name="source">First weight of the first row.</param>
    /// <param name="stride">Floats from row to row.</param>
    /// <param name="marks">1 for what goes, [height, width]; null with N:M groups.</param>
    /// <param name="height">Rows to take, at most <see cref="Rows"/>.</param>
    public void Load(float* source, long stride, byte* marks, int height)
    {
        for (int row = 0; row < height; row++, source += stride)
        {
            for (int j = 0; j < _width; j++)
            {
                _weights[(j * Rows) + row] = source[j];
            }

            for (int j = 0; marks is not null && j < _width; j++)
            {
                _masks[(j * Rows) + row] = 0u - marks[(row * _width) + j];
            }
        }

        ClearUnused(height);
    }

    /// <summary>Writes the pruned rows and their errors back.</summary>
    public void Store(float* target, long stride, float* errors, int height)
    {
        for (int row = 0; row < height; row++, target += stride, errors += _width)
        {
            for (int j = 0; j < _width; j++)
            {
                target[j] = _weights[(j * Rows) + row];
                errors[j] = _errors[(j * Rows) + row];
            }
        }
    }

    /// <summary>
    /// Prunes column by column: e = (w_j − q_j) / U_jj with q_j = 0 where w_j goes, and the nearest value of its grid
    /// or w_j itself where it stays, then w_i −= e · U_ji for the later columns i.
    /// </summary>
    /// <param name="factors">The block of U, [width, width], upper triangular.</param>
    public void Prune(float* factors)
    {
        for (int start = 0; start < _width; start += _step)
        {
            int end = Math.Min(start + _step, _width);
            for (int j = start; j < end; j++)
            {
                if (_groupSize > 0 && j % _groupSize == 0)
                {
                    SelectGroup(factors, j);
                }

                if (_grid is { GroupSize: > 0 } grid && j % grid.GroupSize == 0)
                {
                    grid.Fit(_weights, _masks, j, _width);
                }

                PruneColumn(factors + ((long)j * _width), j, end);
            }

            UpdateLater(factors, start, end);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_weights);

    /// <summary>
    /// Steps may not cut a group, nor a group start inside a step before the columns of the group are up to date.
    /// </summary>
    private static int StepFor(int groupSize)
    {
        if (groupSize == 0)
        {
            return MaximumStep;
        }

        return groupSize <= MaximumStep
            ? MaximumStep / groupSize * groupSize
            : Enumerable.Range(1, MaximumStep).Last(step => groupSize % step == 0);
    }

    private void PruneColumn(float* factor, int column, int end)
    {
        Vector512<float> weight = Vector512.LoadAligned(_weights + (column * Rows));
        Vector512<float> mask = Vector512.LoadAligned(_masks + (column * Rows)).AsSingle();
        Vector512<float> kept = Vector512.AndNot(_grid is null ? weight : _grid.Round(weight, column), mask);
        Vector512<float> error = _grid is null
            ? (weight / Vector512.Create(factor[column])) & mask
            : (weight - kept) / Vector512.Create(factor[column]);
        error.StoreAligned(_errors + (column * Rows));
        kept.StoreAligned(_weights + (column * Rows));
        Vector512<float> negative = -error;
        for (int i = column + 1; i < end; i++)
        {
            float* later = _weights + (i * Rows);
            Vector512.MultiplyAddEstimate(negative, Vector512.Create(factor[i]), Vector512.LoadAligned(later))
                .StoreAligned(later);
        }
    }

    private void UpdateLater(float* factors, int start, int end)
    {
        int i = end;
        for (; i + 4 <= _width; i += 4)
        {
            float* later = _weights + (i * Rows);
            Vector512<float> a = Vector512.LoadAligned(later), b = Vector512.LoadAligned(later + Rows);
            Vector512<float> c = Vector512.LoadAligned(later + (2 * Rows)),
                d = Vector512.LoadAligned(later + (3 * Rows));
            float* factor = factors + ((long)start * _width) + i;
            for (int j = start; j < end; j++, factor += _width)
            {
                Vector512<float> error = -Vector512.LoadAligned(_errors + (j * Rows));
                a = Vector512.MultiplyAddEstimate(error, Vector512.Create(factor[0]), a);
                b = Vector512.MultiplyAddEstimate(error, Vector512.Create(factor[1]), b);
                c = Vector512.MultiplyAddEstimate(error, Vector512.Create(factor[2]), c);
                d = Vector512.MultiplyAddEstimate(error, Vector512.Create(factor[3]), d);
            }

            a.StoreAligned(later);
            b.StoreAligned(later + Rows);
            c.StoreAligned(later + (2 * Rows));
            d.StoreAligned(later + (3 * Rows));
        }

        for (; i < _width; i++)
        {
            Vector512<float> weight = Vector512.LoadAligned(_weights + (i * Rows));
            for (int j = start; j < end; j++)
            {
                Vector512<float> error = -Vector512.LoadAligned(_errors + (j * Rows));
                weight = Vector512.MultiplyAddEstimate(
                    error, Vector512.Create(factors[((long)j * _width) + i]), weight);
            }

            weight.StoreAligned(_weights + (i * Rows));
        }
    }

    /// <summary>
    /// A weight of the group goes if fewer than M − N scores are smaller; among equal ones the first goes first.
    /// </summary>
    private void SelectGroup(float* factors, int start)
    {
        Vector512<float>* scores = stackalloc Vector512<float>[_groupSize];
        for (int i = 0; i < _groupSize; i++)
        {
            int column = start + i;
            Vector512<float> diagonal = Vector512.Create(factors[((long)column * _width) + column]);
            scores[i] = Vector512.Abs(Vector512.LoadAligned(_weights + (column * Rows))) / diagonal;
        }

        Vector512<int> goes = Vector512.Create(_prunedPerGroup);
        for (int i = 0; i < _groupSize; i++)
        {
            Vector512<int> rank = Vector512<int>.Zero;
            for (int other = 0; other < _groupSize; other++)
            {
                rank -= (other < i ? Vector512.LessThanOrEqual(scores[other], scores[i]) : Vector512.LessThan(scores[other], scores[i])).AsInt32();
            }

            Vector512.LessThan(rank, goes).AsUInt32().StoreAligned(_masks + ((start + i) * Rows));
        }
    }

    private void ClearUnused(int height)
    {
        if (height == Rows)
        {
            return;
        }

        for (int j = 0; j < _width; j++)
        {
            new Span<float>(_weights + (j * Rows) + height, Rows - height).Clear();
        }
    }
}
