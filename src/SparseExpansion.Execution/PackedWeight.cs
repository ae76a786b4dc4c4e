using SparseExpansion.Internal;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// A pruned weight [out_features, in_features] that holds its non-zero values, one bit per weight and little else: 2.13 bytes per
/// weight for float32 at 50 % sparsity against 4, 1.13 for bfloat16 against 2. Zeros of both signs are dropped and come back as +0;
/// every other value, NaN included, is kept bit by bit. With a <see cref="QuantizationGrid"/> it holds codes of a few bits instead of values:
/// 0.38 bytes per weight with 4 bits. Lives in CPU memory. Reading from several threads is safe; disposing is not.
/// </summary>
public sealed unsafe class PackedWeight : IDisposable
{
    private readonly PackedArrays _arrays;
    private readonly Lock _indicesLock = new();
    private volatile PackedIndices? _indices;
    private volatile bool _mayHaveChanged;
    private bool _disposed;

    /// <summary>Takes over arrays that are known to fit each other, or will before they are used.</summary>
    internal PackedWeight(PackedArrays arrays, long nonZeroCount)
    {
        _arrays = arrays;
        Layout = arrays.Layout;
        NonZeroCount = nonZeroCount;
        Dtype = arrays.Grid is null ? arrays.Values.dtype : ScalarType.Float32;
        Values = RawMemory.Address(arrays.Values);
        Masks = RawMemory.Address(arrays.Masks);
        RowOrder = RawMemory.Address(arrays.RowOrder);
        PanelOffsets = (long*)RawMemory.Address(arrays.PanelOffsets);
        if (arrays.Grid is { } grid)
        {
            Bits = grid.Quantization.Bits;
            GroupCount = (int)grid.Scales.shape[1];
            GroupColumns = grid.Quantization.GroupSize ?? Layout.PaddedColumns;
            Scales = (ushort*)RawMemory.Address(grid.Scales);
            Zeros = RawMemory.Address(grid.Zeros);
        }
    }

    /// <summary>Output features.</summary>
    public int Rows => Layout.Rows;

    /// <summary>Input features.</summary>
    public int Columns => Layout.Columns;

    /// <summary>float32 or bfloat16; float32 for quantised weights, whose values it holds exactly.</summary>
    public ScalarType Dtype { get; }

    /// <summary>How the weights are rounded; null for weights of full precision.</summary>
    public WeightQuantization? Quantization => _arrays.Grid?.Quantization;

    /// <summary>Stored values.</summary>
    public long NonZeroCount { get; private set; }

    /// <summary>Fraction of zero weights, 0 … 1.</summary>
    public double Sparsity => 1.0 - (double)NonZeroCount / ((double)Rows * Columns);

    /// <summary>Bytes of the stored arrays.</summary>
    public long StoredBytes =>
        _arrays.Values.numel() * _arrays.Values.element_size() + _arrays.Masks.numel() + _arrays.RowOrder.numel()
        + _arrays.PanelOffsets.numel() * sizeof(long) + GridBytes;

    /// <summary>Bytes derived for the index kernels so far: 0, or one per non-zero and two per row and block. Quantised weights derive none.</summary>
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

    private long GridBytes => _arrays.Grid is { } grid ? grid.Scales.numel() * grid.Scales.element_size() + grid.Zeros.numel() : 0;

    internal int ValueSize => Dtype == ScalarType.Float32 ? sizeof(float) : sizeof(ushort);

    /// <summary>Packs a dense weight.</summary>
    /// <param name="weight">[out_features, in_features], float32 or bfloat16, any device and strides; not changed.</param>
    /// <exception cref="ArgumentException">The weight is not a matrix of a supported dtype with at least one element.</exception>
    public static PackedWeight Pack(Tensor weight) => PackedWeightBuilder.Pack(weight);

    /// <summary>Packs a weight that was rounded, as codes.</summary>
    /// <param name="weight">
    /// [out_features, in_features], float32 or bfloat16, any device and strides; not changed. Codes of 8 bits that are more than 128 steps from
    /// zero cannot be told apart in bfloat16: the nearest one is taken.
    /// </param>
    /// <param name="grid">What it was rounded to, on any device; copied.</param>
    /// <exception cref="ArgumentException">
    /// The weight is not a matrix of a supported dtype with at least one element, the grid is for another shape, or a weight is not on it.
    /// </exception>
    public static PackedWeight Pack(Tensor weight, QuantizationGrid grid) => PackedWeightBuilder.TryPack(weight, grid)
        ?? throw new ArgumentException("The weight has values that are not on the grid; round it, or pack it without.", nameof(weight));

    /// <summary>
    /// Uses stored arrays as they are, without copying; they may lie in mapped memory. The weight takes them over and disposes
    /// them. All of them are checked against each other, since kernels trust them.
    /// </summary>
    /// <exception cref="CheckpointException">An array has a wrong dtype or length, or contradicts another one.</exception>
    public static PackedWeight FromArrays(PackedArrays arrays)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        return new PackedWeight(arrays, PackedArraysCheck.NonZeros(arrays));
    }

    /// <summary>The dense weight: [out_features, in_features], the packed dtype, CPU.</summary>
    public Tensor Unpack()
    {
        Verify();
        Tensor dense = empty([Rows, Columns], dtype: Dtype, device: CPU);
        byte* target = RawMemory.Address(dense);
        for (int panel = 0; panel < Layout.PanelCount; panel++)
        {
            UnpackPanel(panel, target + (long)panel * Layout.PanelRows * Columns * ValueSize, Columns, KernelTable.Best);
        }

        GC.KeepAlive(this);
        return dense;
    }

    /// <summary>tokens · weightᵀ + bias, in the dtype of the tokens; sums are float32. Gradients flow to tokens and bias; the weight has none.</summary>
    /// <param name="tokens">[…, in_features], float32 or bfloat16, CPU.</param>
    /// <param name="bias">[out_features], float32 or bfloat16, or null.</param>
    /// <returns>[…, out_features].</returns>
    /// <exception cref="ArgumentException">A shape or dtype does not fit.</exception>
    public Tensor Multiply(Tensor tokens, Tensor? bias = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        Verify();
        return DifferentiableProduct.Compute(tokens, bias, () => PackedProduct.Multiply(this, tokens, bias), gradient =>
        {
            using Tensor dense = Unpack();
            return gradient.matmul(dense.to(gradient.dtype));
        });
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
        _arrays.Values.Dispose();
        _arrays.Masks.Dispose();
        _arrays.RowOrder.Dispose();
        _arrays.PanelOffsets.Dispose();
        _arrays.Grid?.Dispose();
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>The arrays were handed to somebody who may write to them before the next use.</summary>
    internal void ExpectChanges() => _mayHaveChanged = true;

    /// <summary>After <see cref="ExpectChanges"/>: checks the arrays again, since kernels trust them, and renews what was derived from them.</summary>
    /// <exception cref="CheckpointException">The arrays form no packed weight any more.</exception>
    internal void Verify()
    {
        ThrowIfDisposed();
        if (!_mayHaveChanged)
        {
            return;
        }

        lock (_indicesLock)
        {
            NonZeroCount = PackedArraysCheck.NonZeros(_arrays);
            // Indices that still fit stay: another thread may be reading them.
            if (_indices is { } derived && !derived.Fit(Layout, Masks, NonZeroCount))
            {
                _indices = null;
                derived.Dispose();
            }

            _mayHaveChanged = false;
        }
    }

    /// <summary>The derived index stream of weights of full precision, made on first use.</summary>
    internal PackedIndices Indices()
    {
        ThrowIfDisposed();
        if (_indices is { } ready)
        {
            return ready;
        }

        lock (_indicesLock)
        {
            return _indices ??= new PackedIndices(Layout, Masks, NonZeroCount);
        }
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
        if (Dtype == ScalarType.Float32)
        {
            PackedWeightPacker.UnpackPanel<Float32Format>(Layout, panel, values, masks, RowOrder + piece, target, rowStride, wide);
        }
        else
        {
            PackedWeightPacker.UnpackPanel<BFloat16Format>(Layout, panel, values, masks, RowOrder + piece, target, rowStride, wide);
        }
    }
}
