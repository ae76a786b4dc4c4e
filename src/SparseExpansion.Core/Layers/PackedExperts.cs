using System.Globalization;
using SparseExpansion.Execution;
using SparseExpansion.Layers.Surgery;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Experts that hold their non-zero weights only and run sparse on the CPU. Not differentiable.</summary>
internal sealed class PackedExperts : ExpertWeights
{
    /// <summary>Name of the layout in checkpoints; docs/format.md.</summary>
    public const string Kind = "packed-bitmask";

    private const string LayoutName = "layout";

    private readonly ModuleList<PackedExpert> items;
    private PackedWeight[] _weights;

    private PackedExperts(PackedExpert[] experts)
        : base(nameof(PackedExperts))
    {
        items = nn.ModuleList(experts);
        _weights = [.. experts.Select(expert => expert.Weight)];
        RegisterComponents();
    }

    public override int Count => _weights.Length;

    public override long InFeatures => _weights[0].Columns;

    public override long OutFeatures => _weights[0].Rows;

    public override ScalarType DType => _weights[0].Dtype;

    public override Device Device => CPU;

    /// <summary>The kernels read tokens of either type, whatever the type of the experts.</summary>
    public override bool Accepts(ScalarType tokens) => tokens is ScalarType.Float32 or ScalarType.BFloat16;

    public override string StorageKind => Kind;

    public override long StorageBytes => _weights.Sum(weight => weight.StoredBytes + weight.DerivedBytes);

    /// <summary>True if experts of this dtype and device can be packed.</summary>
    public static bool Supports(ExpertWeights experts) =>
        experts.Device.type == DeviceType.CPU && experts.DType is ScalarType.Float32 or ScalarType.BFloat16;

    /// <summary>Takes over packed weights of one shape and dtype.</summary>
    public static PackedExperts Of(IEnumerable<PackedWeight> weights) => new([.. weights.Select(weight => new PackedExpert(weight))]);

    /// <summary>Packs the experts of another storage.</summary>
    public static PackedExperts Pack(ExpertWeights experts) => Pack(experts, experts.DType);

    public override IReadOnlyDictionary<string, Tensor> Tensors
    {
        get
        {
            var tensors = new Dictionary<string, Tensor>();
            for (int e = 0; e < Count; e++)
            {
                foreach ((string name, Tensor array) in PackedExpert.ArrayNames.Zip(items[e].Arrays))
                {
                    tensors.Add(ArrayName(e, name), array);
                }
            }

            PackedArrays first = _weights[0].Arrays;
            tensors.Add(LayoutName, tensor(new long[] { first.BlockColumns, first.PanelRows }));
            return tensors;
        }
    }

    public static PackedExperts FromTensors(string layer, long[] shape, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var experts = new List<PackedExpert>();
        try
        {
            long[] layout = Require(layer, tensors, LayoutName).data<long>().ToArray();
            if (layout.Length != 2 || tensors.Count != shape[0] * PackedExpert.ArrayNames.Count + 1)
            {
                throw new CheckpointException($"The packed experts of layer '{layer}' are not {shape[0]} in number, or have a malformed layout.");
            }

            for (int e = 0; e < shape[0]; e++)
            {
                Tensor[] arrays = [.. PackedExpert.ArrayNames.Select(name => Require(layer, tensors, ArrayName(e, name)))];
                experts.Add(PackedExpert.FromArrays((int)shape[1], (int)shape[2], checked((int)layout[0]), checked((int)layout[1]), arrays));
            }

            return new PackedExperts([.. experts]);
        }
        catch
        {
            experts.ForEach(expert => expert.Dispose());
            throw;
        }
    }

    public override Tensor Multiply(Tensor tokens, RoutingDecision decision, Tensor? bias)
    {
        if (tokens.requires_grad && is_grad_enabled())
        {
            throw new InvalidOperationException(
                "Packed experts have no gradient. Call Unpack() on the layer for training, or run under torch.no_grad().");
        }

        using var noGrad = no_grad();
        using Tensor rows = tokens.stride(1) == 1 ? tokens.alias() : tokens.contiguous();
        Tensor output = empty(tokens.shape[0], OutFeatures, tokens.dtype);
        HostGroups groups = decision.OnHost();
        GroupedMultiplication.Run(
            _weights, groups.Offsets, groups.Order, MatrixView.Of(rows), MatrixView.Of(output), bias is null ? MatrixView.None : MatrixView.Of(bias));
        GC.KeepAlive(this);
        return output;
    }

    public override ExpertWeights ConvertTo(ScalarType dtype, Device device)
    {
        if (device.type == DeviceType.CPU && dtype is ScalarType.Float32 or ScalarType.BFloat16)
        {
            _to(dtype, non_blocking: false);
            return this;
        }

        using PackedExperts packed = this;
        return MaskedDenseExperts.From(packed).ConvertTo(dtype, device);
    }

    public override Tensor ToDense(int expert) => _weights[expert].Unpack();

    public override long CountNonzero(int expert) => _weights[expert].NonZeroCount;

    protected override nn.Module _to(ScalarType dtype, bool non_blocking)
    {
        if (dtype == DType)
        {
            return this;
        }

        if (dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
        {
            throw new InvalidOperationException($"Packed experts are float32 or bfloat16. Call Unpack() on the layers before they become {dtype}.");
        }

        PackedExpert[] converted = [.. Enumerable.Range(0, Count).Select(e => PackOne(this, e, dtype))];
        for (int e = 0; e < converted.Length; e++)
        {
            using PackedExpert old = items[e];
            items[e] = converted[e];
            ModuleInternals.ReplaceChild(items, e.ToString(CultureInfo.InvariantCulture), converted[e]);
        }

        _weights = [.. converted.Select(expert => expert.Weight)];
        return this;
    }

    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking)
    {
        _to(device.type, device.index, non_blocking);
        return _to(dtype, non_blocking);
    }

    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => deviceType == DeviceType.CPU
        ? this
        : throw new InvalidOperationException($"Packed experts run on the CPU. Call Unpack() on the layers before they are moved to {deviceType}.");

    private static PackedExperts Pack(ExpertWeights experts, ScalarType dtype) =>
        new([.. Enumerable.Range(0, experts.Count).Select(e => PackOne(experts, e, dtype))]);

    private static PackedExpert PackOne(ExpertWeights experts, int expert, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return new PackedExpert(PackedWeight.Pack(experts.ToDense(expert).to(dtype)));
    }

    private static Tensor Require(string layer, IReadOnlyDictionary<string, Tensor> tensors, string name) =>
        tensors.TryGetValue(name, out Tensor? found)
            ? found
            : throw new CheckpointException($"The packed experts of layer '{layer}' lack the array '{name}'.");

    private static string ArrayName(int expert, string array) => $"{expert}.{array}";
}
