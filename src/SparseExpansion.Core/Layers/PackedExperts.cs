using System.Globalization;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers.Surgery;
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

    private const string LayoutName = "layout";

    private readonly ModuleList<PackedExpert> items;
    private PackedWeight[] _weights;
    private ScalarType _dtype;

    private PackedExperts(PackedExpert[] experts, ScalarType? dtype = null)
        : base(nameof(PackedExperts))
    {
        items = nn.ModuleList(experts);
        _weights = [.. experts.Select(expert => expert.Weight)];
        _dtype = dtype ?? (ScalarType)_weights[0].Dtype;
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
    public static PackedExperts Pack(ExpertWeights experts) => Pack(experts, experts.DType);

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

    /// <param name="layer">For messages.</param>
    /// <param name="shape">[experts, out_features, in_features].</param>
    /// <param name="tensors">The tensors from <see cref="Tensors"/>.</param>
    /// <param name="quantized">True if they are codes.</param>
    public static PackedExperts FromTensors(
        string layer, long[] shape, IReadOnlyDictionary<string, Tensor> tensors, bool quantized)
    {
        var experts = new List<PackedExpert>();
        try
        {
            long[] layout = ReadLayout(Require(layer, tensors, LayoutName));
            WeightQuantization? quantization = quantized ? ReadQuantization(layer, layout) : null;
            IReadOnlyList<string> names = PackedExpert.NamesOf(quantization);
            if (layout.Length != (quantized ? 4 : 2)
                || layout[..2].Concat(shape).Any(size => size is < 1 or > int.MaxValue)
                || tensors.Count != shape[0] * names.Count + 1)
            {
                throw new CheckpointException(
                    $"The packed experts of layer '{layer}' are not {shape[0]} in number, or have a malformed layout.");
            }

            for (int e = 0; e < shape[0]; e++)
            {
                Tensor[] arrays = [.. names.Select(name => Require(layer, tensors, ArrayName(e, name)))];
                experts.Add(FromArrays(layer, e, shape, layout, quantization, arrays));
            }

            return new PackedExperts([.. experts]);
        }
        catch
        {
            experts.ForEach(expert => expert.Dispose());
            throw;
        }
    }

    private static WeightQuantization ReadQuantization(string layer, long[] layout)
    {
        WeightQuantization? known = layout switch
        {
            [_, _, 4 or 8, 0] => new WeightQuantization { Bits = (int)layout[2], GroupSize = null },
            [_, _, 4 or 8, 64 or 128] => new WeightQuantization { Bits = (int)layout[2], GroupSize = (int)layout[3] },
            _ => null,
        };
        return known ?? throw new CheckpointException(
            $"The quantized experts of layer '{layer}' have a layout that this version does not know: "
            + $"[{string.Join(", ", layout)}].");
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
        GroupedMultiplication.Run(
            _weights, groups.Offsets, groups.Order, MatrixView.Of(rows), MatrixView.Of(output),
            bias is null ? MatrixView.None : MatrixView.Of(bias), TorchProduct.Options());
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

        PackedExpert[] converted = [.. Enumerable.Range(0, Count).Select(e => PackOne(this, e, dtype))];
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

    /// <summary>
    /// As codes where all experts still lie on their grids; otherwise, for example after training, as values.
    /// </summary>
    private static PackedExperts Pack(ExpertWeights experts, ScalarType dtype) =>
        PackCodes(experts, dtype)
            ?? new PackedExperts([.. Enumerable.Range(0, experts.Count).Select(e => PackOne(experts, e, dtype))]);

    /// <summary>All experts as codes; null if one has no grid or has left it.</summary>
    private static PackedExperts? PackCodes(ExpertWeights experts, ScalarType dtype)
    {
        var packed = new List<PackedExpert>();
        for (int e = 0; e < experts.Count; e++)
        {
            if (PackCodesOfOne(experts, e) is not { } weight)
            {
                packed.ForEach(expert => expert.Dispose());
                return null;
            }

            packed.Add(new PackedExpert(weight));
        }

        return new PackedExperts([.. packed], dtype);
    }

    private static PackedWeight? PackCodesOfOne(ExpertWeights experts, int expert)
    {
        if (experts.GridOf(expert) is not { } grid)
        {
            return null;
        }

        using Tensor dense = experts.ToDense(expert);
        return PackedTensors.TryPack(dense, grid);
    }

    private static PackedExpert PackOne(ExpertWeights experts, int expert, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return new PackedExpert(PackedWeight.Pack(experts.ToDense(expert).to(dtype)));
    }

    private static PackedExpert FromArrays(
        string layer, int expert, long[] shape, long[] layout, WeightQuantization? quantization, Tensor[] arrays)
    {
        try
        {
            return PackedExpert.FromArrays(
                (int)shape[1], (int)shape[2], (int)layout[0], (int)layout[1], quantization, arrays);
        }
        catch (CheckpointException error)
        {
            throw new CheckpointException($"Expert {expert} of layer '{layer}': {error.Message}", error);
        }
    }

    private static long[] ReadLayout(Tensor layout) =>
        layout.dtype == ScalarType.Int64 ? layout.data<long>().ToArray() : [];

    private static Tensor Require(string layer, IReadOnlyDictionary<string, Tensor> tensors, string name) =>
        tensors.TryGetValue(name, out Tensor? found)
            ? found
            : throw new CheckpointException($"The packed experts of layer '{layer}' lack the array '{name}'.");

    private static string ArrayName(int expert, string array) => $"{expert}.{array}";
}
