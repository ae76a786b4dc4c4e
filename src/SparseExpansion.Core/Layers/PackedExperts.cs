using System.Globalization;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Quantization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// Experts that hold their non-zero weights only and run sparse on the CPU. They have no gradient themselves; their
/// tokens and the bias do.
/// </summary>
internal sealed class PackedExperts : ExpertWeights
{
    /// <summary>Name of the layout in checkpoints; docs/format.md.</summary>
    public const string Kind = "packed-bitmask";

    /// <summary>Name of the layout of quantized experts.</summary>
    public const string QuantizedKind = "packed-bitmask-quantized";

    internal const string LayoutName = "layout";

    private readonly ModuleList<PackedExpert> items;
    private PackedWeight[] _weights;
    private ScalarType _dtype;

    /// <summary>Takes over experts of one shape and dtype.</summary>
    internal PackedExperts(PackedExpert[] experts, ScalarType? dtype = null)
        : base(nameof(PackedExperts))
    {
        items = nn.ModuleList(experts);
        _weights = [.. experts.Select(expert => expert.Weight)];
        _dtype = dtype ?? (ScalarType)_weights[0].DType;
        RegisterComponents();
    }

    public override int Count => _weights.Length;

    public override long InFeatures => _weights[0].Columns;

    public override long OutFeatures => _weights[0].Rows;

    /// <remarks>Codes are of no dtype: quantized experts have that of the model.</remarks>
    public override ScalarType DType => _dtype;

    /// <summary>The rounding of the experts; null for experts of full precision.</summary>
    public WeightQuantization? Quantization => _weights[0].Quantization;

    public override Device Device => CPU;

    /// <summary>The kernels read tokens of either type, whatever the type of the experts.</summary>
    public override bool Accepts(ScalarType tokens) => Supports(tokens);

    public override string StorageKind => Quantization is null ? Kind : QuantizedKind;

    public override long StorageBytes => _weights.Sum(weight => weight.StoredBytes + weight.DerivedBytes);

    /// <summary>True if these experts can be packed where they are.</summary>
    public static bool Supports(ExpertWeights experts) =>
        experts.Device.type == DeviceType.CPU && Supports(experts.DType);

    /// <summary>True if experts of this dtype can be packed.</summary>
    public static bool Supports(ScalarType dtype) => dtype is ScalarType.Float32 or ScalarType.BFloat16;

    /// <summary>Takes over packed weights of one shape and dtype.</summary>
    public static PackedExperts Of(IEnumerable<PackedWeight> weights) =>
        new([.. weights.Select(weight => new PackedExpert(weight))]);

    /// <summary>Packs the experts of another storage.</summary>
    public static PackedExperts Pack(ExpertWeights experts) => ExpertPacking.Pack(experts, experts.DType);

    public override IReadOnlyDictionary<string, Tensor> Tensors
    {
        get
        {
            var tensors = new Dictionary<string, Tensor>();
            for (int e = 0; e < Count; e++)
            {
                foreach ((string name, Tensor array) in items[e].Arrays)
                {
                    tensors.Add(ArrayName(e, name), array);
                }
            }

            PackedArrays first = _weights[0].Arrays;
            long[] layout = Quantization is { } quantization
                ? [first.BlockColumns, first.PanelRows, quantization.Bits, quantization.GroupSize ?? 0]
                : [first.BlockColumns, first.PanelRows];
            tensors.Add(LayoutName, tensor(layout, device: CPU));
            return tensors;
        }
    }

    public override Tensor Multiply(Tensor tokens, RoutingDecision decision, Tensor? bias)
    {
        HostGroups groups = decision.OnHost();
        return !DifferentiableProduct.IsAsked(tokens, bias) ? Multiply(tokens, groups, bias)
            : DifferentiableProduct.Compute(
                tokens, bias, () => Multiply(tokens, groups, bias), PackedGradients.Of(_weights, groups));
    }

    private Tensor Multiply(Tensor tokens, HostGroups groups, Tensor? bias)
    {
        using var noGrad = no_grad();
        using Tensor rows = tokens.stride(1) == 1 ? tokens.alias() : tokens.contiguous();
        Tensor output = empty(tokens.shape[0], OutFeatures, tokens.dtype, CPU);
        try
        {
            GroupedMultiplication.Run(
                _weights, groups.Offsets, groups.Order, MatrixView.Of(rows), MatrixView.Of(output),
                bias is null ? MatrixView.None : MatrixView.Of(bias), TorchProduct.Options());
        }
        catch
        {
            output.Dispose();
            throw;
        }

        GC.KeepAlive(bias);
        GC.KeepAlive(this);
        return output;
    }

    public override void Verify(string layer)
    {
        foreach (PackedWeight weight in _weights)
        {
            try
            {
                weight.Verify();
            }
            catch (CheckpointException e)
            {
                throw new CheckpointException(
                    $"The arrays loaded into layer '{layer}' are not packed experts; was it packed differently when "
                    + $"they were saved? Call {nameof(SparseMixtureLayer.Unpack)} before loading other weights. {e.Message}", e);
            }
        }
    }

    public override ExpertWeights ConvertTo(ScalarType dtype, Device device)
    {
        if (device.type == DeviceType.CPU && Supports(dtype))
        {
            _to(dtype, non_blocking: false);
            return this;
        }

        using PackedExperts packed = this;
        return MaskedDenseExperts.From(packed).ConvertTo(dtype, device);
    }

    public override Tensor ToDense(int expert)
    {
        Tensor dense = _weights[expert].Unpack();
        if (dense.dtype == DType)
        {
            return dense;
        }

        using (dense)
        {
            return dense.to(DType);
        }
    }

    public override QuantizationGrid? GridOf(int expert) => _weights[expert].Arrays.Grid?.AsTensors();

    public override long CountNonzero(int expert) => _weights[expert].NonZeroCount;

    protected override nn.Module _to(ScalarType dtype, bool non_blocking)
    {
        if (dtype == DType)
        {
            return this;
        }

        if (!Supports(dtype))
        {
            throw new InvalidOperationException(
                $"Packed experts are float32 or bfloat16. Call Unpack() on the layers before they become {dtype}.");
        }

        if (Quantization is not null)
        {
            _dtype = dtype;
            return this;
        }

        PackedExpert[] converted = [.. Enumerable.Range(0, Count).Select(e => ExpertPacking.PackOne(this, e, dtype))];
        for (int e = 0; e < converted.Length; e++)
        {
            using PackedExpert old = items[e];
            items[e] = converted[e];
            ModuleInternals.ReplaceChild(items, e.ToString(CultureInfo.InvariantCulture), converted[e]);
        }

        _weights = [.. converted.Select(expert => expert.Weight)];
        _dtype = dtype;
        return this;
    }

    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking)
    {
        _to(device.type, device.index, non_blocking);
        return _to(dtype, non_blocking);
    }

    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) =>
        deviceType == DeviceType.CPU
            ? this
            : throw new InvalidOperationException(
                $"Packed experts run on the CPU. Call Unpack() on the layers before they are moved to {deviceType}.");

    internal static string ArrayName(int expert, string array) => $"{expert}.{array}";
}
