using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Quantization;

/// <summary>
/// The values that the weights of one matrix may have: s(c − z) with codes c of a few bits, and a scale s and a zero
/// point z for each group of a row. Pruned weights are 0, which is on every grid. Owns its tensors.
/// </summary>
public sealed class QuantizationGrid : IDisposable
{
    /// <summary>Takes over the tensors.</summary>
    /// <param name="quantization">Bits and groups.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="scales">[out_features, groups], bfloat16: s.</param>
    /// <param name="zeros">[out_features, groups], uint8: z.</param>
    /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public QuantizationGrid(WeightQuantization quantization, int columns, Tensor scales, Tensor zeros)
    {
        ArgumentNullException.ThrowIfNull(quantization);
        ArgumentNullException.ThrowIfNull(scales);
        ArgumentNullException.ThrowIfNull(zeros);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        quantization.Validate();
        int groups = quantization.GroupCount(columns);
        if (scales.dtype != ScalarType.BFloat16 || zeros.dtype != ScalarType.Byte || scales.dim() != 2
            || scales.shape[1] != groups
            || !scales.shape.SequenceEqual(zeros.shape))
        {
            throw new ArgumentException(
                $"{columns} columns need bfloat16 scales and uint8 zero points [out_features, {groups}], "
                + $"not {TensorText.Of(scales)} "
                + $"and {TensorText.Of(zeros)}.", nameof(scales));
        }

        Quantization = quantization;
        Columns = columns;
        Scales = scales;
        Zeros = zeros;
    }

    /// <summary>Bits and groups.</summary>
    public WeightQuantization Quantization { get; }

    /// <summary>Input features.</summary>
    public int Columns { get; }

    /// <summary>[out_features, groups], bfloat16. Belongs to the grid: do not dispose or change it.</summary>
    public Tensor Scales { get; }

    /// <summary>[out_features, groups], uint8. Belongs to the grid: do not dispose or change it.</summary>
    public Tensor Zeros { get; }

    /// <summary>The grid between the smallest and the largest weight of every group.</summary>
    /// <param name="weight">[out_features, in_features], finite, any floating dtype.</param>
    /// <param name="quantization">Bits and groups.</param>
    /// <exception cref="ArgumentException">The weight is not a matrix, or empty.</exception>
    public static QuantizationGrid Fit(Tensor weight, WeightQuantization quantization)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(quantization);
        quantization.Validate();
        if (weight.dim() != 2 || weight.numel() == 0)
        {
            throw new ArgumentException(
                $"The weight must be a non-empty matrix, not [{string.Join(", ", weight.shape)}].", nameof(weight));
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        int columns = checked((int)weight.shape[1]);
        (Tensor scales, Tensor zeros) = GridFunctions.Fit(
            Groups(weight.to(ScalarType.Float32), quantization), quantization.MaximumCode);
        return FromFloats(quantization, columns, scales.squeeze(2), zeros.squeeze(2));
    }

    /// <summary>The nearest values on the grid.</summary>
    /// <param name="weight">[out_features, in_features], any floating dtype, on the device of the grid.</param>
    /// <returns>The same shape and dtype; float32 holds the values exactly, bfloat16 rounds them again.</returns>
    /// <exception cref="ArgumentException">The weight has another shape.</exception>
    public Tensor Round(Tensor weight)
    {
        Check(weight);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor groups = Groups(weight.to(ScalarType.Float32), Quantization);
        Tensor rounded = GridFunctions.Round(groups, Wide(Scales), Wide(Zeros), Quantization.MaximumCode);
        return rounded.view(weight.shape[0], -1).narrow(1, 0, Columns).to(weight.dtype).clone()
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// True if every weight is the value of a code, as far as its dtype can tell: bfloat16 has 8 significant bits, so a
    /// weight in it may be a value of the grid that was rounded, and is up to 1/256 of itself away from it.
    /// </summary>
    /// <param name="weight">[out_features, in_features], float32 or bfloat16, on the device of the grid.</param>
    /// <exception cref="ArgumentException">The weight has another shape.</exception>
    public bool Contains(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        using var scope = NewDisposeScope();
        Tensor exact = weight.to(ScalarType.Float32), distance = (Round(exact) - exact).abs_();
        double rounding = weight.dtype == ScalarType.BFloat16 ? 1.0 / 256 : 0;
        return distance.le(exact.abs() * Scalars.Of(rounding)).all().item<bool>();
    }

    /// <summary>
    /// A copy with contiguous tensors of its own, in CPU memory; it outlives the current dispose scope.
    /// </summary>
    internal QuantizationGrid CloneOnHost()
    {
        using var scope = NewDisposeScope();
        // A copy keeps strides; whoever packs reads memory row by row.
        return new(
            Quantization, Columns,
            Scales.to(CPU, copy: true).contiguous().DetachFromDisposeScope(),
            Zeros.to(CPU, copy: true).contiguous().DetachFromDisposeScope());
    }

    /// <summary>
    /// A grid of scales and zero points in float32, [out_features, groups]; it outlives the current dispose scope.
    /// </summary>
    internal static QuantizationGrid FromFloats(
        WeightQuantization quantization, int columns, Tensor scales, Tensor zeros) => new(
        quantization, columns,
        scales.to(ScalarType.BFloat16).contiguous().DetachFromDisposeScope(),
        zeros.to(ScalarType.Byte).contiguous().DetachFromDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        Scales.Dispose();
        Zeros.Dispose();
    }

    private void Check(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 2 || weight.shape[0] != Scales.shape[0] || weight.shape[1] != Columns)
        {
            throw new ArgumentException(
                $"The grid is for [{Scales.shape[0]}, {Columns}], the weight is [{string.Join(", ", weight.shape)}].",
                nameof(weight));
        }
    }

    /// <summary>
    /// [rows, groups, width]; a last group that is too narrow is filled with zeros, which no grid minds.
    /// </summary>
    private static Tensor Groups(Tensor weight, WeightQuantization quantization)
    {
        long columns = weight.shape[1], width = quantization.GroupWidth(columns),
            groups = quantization.GroupCount(columns);
        Tensor padded = groups * width == columns
            ? weight.contiguous()
            : nn.functional.pad(weight, [0, groups * width - columns]);
        return padded.view(weight.shape[0], groups, width);
    }

    private static Tensor Wide(Tensor parameters) => parameters.to(ScalarType.Float32).unsqueeze(2);
}
