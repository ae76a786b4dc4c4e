using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution;

/// <summary>
/// A pruned weight [out_features, in_features] that holds its non-zero values, one bit per weight and little else: 2.13
/// bytes per weight for float32 at 50 % sparsity against 4, 1.13 for bfloat16 against 2. Zeros of both signs are
/// dropped and come back as +0; every other value, NaN included, is kept bit by bit. With a <see cref="PackedGrid"/> it
/// holds codes of a few bits instead of values: 0.38 bytes per weight with 4 bits. Lives in CPU memory. Reading from
/// several threads is safe; disposing is not.
/// </summary>
public sealed unsafe class PackedWeight : IDisposable
{
    private readonly PackedArrays _arrays;
    private readonly Lock _indicesLock = new();
    private volatile PackedIndices? _indices;
    private int _changes;
    private int _checkedChanges;
    private bool _disposed;

    /// <summary>Takes over arrays that are known to fit each other, or will before they are used.</summary>
    internal PackedWeight(PackedArrays arrays, long nonZeroCount)
    {
        _arrays = arrays;
        Layout = arrays.Layout;
        NonZeroCount = nonZeroCount;
        DType = arrays.Grid is null ? arrays.Values.Type : ElementType.Float32;
        Values = arrays.Values.Pointer;
        Masks = arrays.Masks.Pointer;
        RowOrder = arrays.RowOrder.Pointer;
        PanelOffsets = (long*)arrays.PanelOffsets.Pointer;
        if (arrays.Grid is { } grid)
        {
            Bits = grid.Bits;
            GroupCount = grid.GroupCount;
            GroupColumns = grid.GroupSize ?? Layout.PaddedColumns;
            Scales = (ushort*)grid.Scales.Pointer;
            Zeros = grid.Zeros.Pointer;
        }
    }

    /// <summary>Output features.</summary>
    public int Rows => Layout.Rows;

    /// <summary>Input features.</summary>
    public int Columns => Layout.Columns;

    /// <summary>float32 or bfloat16; float32 for quantized weights, whose values it holds exactly.</summary>
    public ElementType DType { get; }

    /// <summary>Stored values.</summary>
    public long NonZeroCount { get; private set; }

    /// <summary>Fraction of zero weights, 0 … 1.</summary>
    public double Sparsity => 1.0 - (double)NonZeroCount / ((double)Rows * Columns);

    /// <summary>Bytes of the stored arrays.</summary>
    public long StoredBytes =>
        _arrays.Values.ByteLength + _arrays.Masks.ByteLength + _arrays.RowOrder.ByteLength
            + _arrays.PanelOffsets.ByteLength
        + (_arrays.Grid is { } grid ? grid.Scales.ByteLength + grid.Zeros.ByteLength : 0);

    /// <summary>
    /// Bytes of indices kept beside the stored arrays: one per non-zero and two per row and block, or 0, which they are
    /// unless 60 % are zero and a measurement has shown that they save more time than they cost memory.
    /// </summary>
    public long DerivedBytes => _indices?.Bytes ?? 0;

    /// <summary>The stored arrays. They belong to this weight: do not dispose or change them.</summary>
    public PackedArrays Arrays
    {
        get
        {
            ThrowIfDisposed();
            return _arrays;
        }
    }

    /// <summary>The grid of the codes, of a disposed weight too.</summary>
    internal PackedGrid? Grid => _arrays.Grid;

    internal PackedLayout Layout { get; }

    internal byte* Values { get; }

    internal byte* Masks { get; }

    internal byte* RowOrder { get; }

    internal long* PanelOffsets { get; }

    /// <summary>Bits of a code; 0 for weights of full precision.</summary>
    internal int Bits { get; }

    /// <summary>Groups of a row.</summary>
    internal int GroupCount { get; }

    /// <summary>Columns of a group; all of them, with the empty ones, where a row is one group.</summary>
    internal int GroupColumns { get; }

    /// <summary>[rows, groups] bfloat16, or null.</summary>
    internal ushort* Scales { get; }

    /// <summary>[rows, groups], or null.</summary>
    internal byte* Zeros { get; }

    internal int ValueSize => DType == ElementType.Float32 ? sizeof(float) : sizeof(ushort);

    /// <summary>Packs a dense weight.</summary>
    /// <param name="weight">[rows, columns], row by row; copied.</param>
    /// <param name="rows">Output features, at least 1.</param>
    /// <param name="columns">Input features, at least 1.</param>
    /// <exception cref="ArgumentException">The numbers do not describe the span.</exception>
    public static PackedWeight Pack(ReadOnlySpan<float> weight, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        RequireLength(weight.Length, rows, columns, nameof(weight));
        fixed (float* source = weight)
        {
            return PackedWeightBuilder.Pack((byte*)source, rows, columns, ElementType.Float32, NativeArray.Allocate);
        }
    }

    /// <summary>
    /// Uses stored arrays as they are, without copying; they may lie in mapped memory. The weight takes them over and
    /// disposes them. All of them are checked against each other, since kernels trust them.
    /// </summary>
    /// <exception cref="CheckpointException">An array has a wrong dtype or length, or contradicts another
    /// one.</exception>
    public static PackedWeight FromArrays(PackedArrays arrays)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        return new PackedWeight(arrays, PackedArraysCheck.NonZeros(arrays));
    }

    /// <summary>Writes the dense weight.</summary>
    /// <param name="dense">[rows, columns], row by row; every element is written, pruned ones as 0.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void Unpack(Span<float> dense)
    {
        RequireLength(dense.Length, Rows, Columns, nameof(dense));
        using NativeArray memory = NativeArray.Allocate(dense.Length, DType);
        UnpackTo(memory.Pointer);
        for (int i = 0; i < dense.Length; i++)
        {
            dense[i] = DType == ElementType.Float32
                ? Float32Format.Load(memory.Pointer, i)
                : BFloat16Format.Load(memory.Pointer, i);
        }
    }

    /// <summary>output = tokens · weightᵀ + bias on all processors.</summary>
    /// <param name="tokens">[tokens, columns], row by row.</param>
    /// <param name="output">[tokens, rows]; must not overlap the tokens.</param>
    /// <param name="bias">[rows], or empty.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public void Multiply(ReadOnlySpan<float> tokens, Span<float> output, ReadOnlySpan<float> bias = default)
    {
        int count = tokens.Length / Columns;
        RequireLength(tokens.Length, count, Columns, nameof(tokens));
        RequireLength(output.Length, count, Rows, nameof(output));
        if (!bias.IsEmpty)
        {
            RequireLength(bias.Length, Rows, 1, nameof(bias));
        }

        fixed (float* from = tokens, to = output, addend = bias)
        {
            GroupedMultiplication.Run(
                [this], [0, count], [.. Enumerable.Range(0, count)],
                new MatrixView((nint)from, Columns, ElementType.Float32),
                new MatrixView((nint)to, Rows, ElementType.Float32),
                new MatrixView((nint)addend, 0, ElementType.Float32));
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _indices?.Dispose();
        _arrays.Dispose();
    }

    private static void RequireLength(int length, int rows, int columns, string name)
    {
        if (length != (long)rows * columns)
        {
            throw new ArgumentException($"[{rows}, {columns}] are not {length} numbers.", name);
        }
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>The arrays were handed to somebody who may write to them before the next use.</summary>
    internal void ExpectChanges() => Interlocked.Increment(ref _changes);

    /// <summary>
    /// After <see cref="ExpectChanges"/>: checks the arrays again, since kernels trust them, and renews the data
    /// derived from them.
    /// </summary>
    /// <exception cref="CheckpointException">The arrays no longer form a packed weight.</exception>
    internal void Verify()
    {
        ThrowIfDisposed();
        if (Volatile.Read(ref _checkedChanges) == Volatile.Read(ref _changes))
        {
            return;
        }

        lock (_indicesLock)
        {
            // Changes that come during the check count as unchecked, and other threads wait here until it has passed.
            int changes = Volatile.Read(ref _changes);
            if (changes == _checkedChanges)
            {
                return;
            }

            NonZeroCount = PackedArraysCheck.NonZeros(_arrays);
            // Indices that still fit stay: another thread may be reading them.
            if (_indices is { } derived && !derived.Fit(Layout, Masks, NonZeroCount))
            {
                _indices = null;
                derived.Dispose();
            }

            Volatile.Write(ref _checkedChanges, changes);
        }
    }

    /// <summary>The indices kept so far; null for none.</summary>
    internal PackedIndices? KeptIndices => _indices;

    /// <summary>The indices of weights of full precision, made on first use and kept from then on.</summary>
    internal PackedIndices Indices()
    {
        ThrowIfDisposed();
        lock (_indicesLock)
        {
            return _indices ??= ListIndices();
        }
    }

    /// <summary>The indices of weights of full precision, not kept: the caller disposes them.</summary>
    internal PackedIndices ListIndices() => new(Layout, Masks, NonZeroCount);

    /// <summary>Writes the whole weight to dense memory of the packed dtype, row by row.</summary>
    internal void UnpackTo(byte* target)
    {
        Verify();
        for (int panel = 0; panel < Layout.PanelCount; panel++)
        {
            UnpackPanel(
                panel, target + (long)panel * Layout.PanelRows * Columns * ValueSize, Columns, InstructionSets.Best);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Writes one panel to dense memory of the packed dtype.</summary>
    internal void UnpackPanel(int panel, byte* target, long rowStride, InstructionSet instructions)
    {
        bool wide = instructions == InstructionSet.Avx512;
        if (Bits > 0)
        {
            QuantizedPacker.UnpackPanel(this, panel, target, rowStride, wide);
            return;
        }

        long piece = Layout.FirstRowBlock(panel);
        byte* values = Values + PanelOffsets[panel] * ValueSize;
        byte* masks = Masks + piece * Layout.MaskBytes;
        if (DType == ElementType.Float32)
        {
            PackedWeightPacker.UnpackPanel<Float32Format>(
                Layout, panel, values, masks, RowOrder + piece, target, rowStride, wide);
        }
        else
        {
            PackedWeightPacker.UnpackPanel<BFloat16Format>(
                Layout, panel, values, masks, RowOrder + piece, target, rowStride, wide);
        }
    }
}
