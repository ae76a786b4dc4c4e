using SparseExpansion.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Experts as one dense tensor with zeros in it: differentiable, on any device.</summary>
internal sealed class MaskedDenseExperts : ExpertWeights
{
    /// <summary>Name of the layout in checkpoints.</summary>
    public const string Kind = "masked-dense";

    private readonly Parameter weight;

    /// <summary>Unpacks the experts of another storage.</summary>
    public static MaskedDenseExperts From(ExpertWeights experts)
    {
        using var scope = NewDisposeScope();
        return new MaskedDenseExperts([.. Enumerable.Range(0, experts.Count).Select(experts.ToDense)]);
    }

    /// <summary>Copies the experts' weights into one parameter [experts, out_features, in_features].</summary>
    public MaskedDenseExperts(IReadOnlyList<Tensor> weights)
        : base(nameof(MaskedDenseExperts))
    {
        weight = FrozenParameter.Create(() => stack(weights));
        RegisterComponents();
    }

    private MaskedDenseExperts(Tensor stacked)
        : base(nameof(MaskedDenseExperts))
    {
        weight = FrozenParameter.Create(() => stacked.clone());
        RegisterComponents();
    }

    public static MaskedDenseExperts FromTensors(string layer, long[] shape, IReadOnlyDictionary<string, Tensor> tensors) =>
        tensors.Count == 1 && tensors.TryGetValue(nameof(weight), out Tensor? stacked) && stacked.shape.SequenceEqual(shape)
            ? new MaskedDenseExperts(stacked)
            : throw new CheckpointException(
                $"The experts of layer '{layer}' must be one tensor '{nameof(weight)}' [{string.Join(", ", shape)}]; the checkpoint has "
                + $"{string.Join(", ", tensors.Select(entry => $"'{entry.Key}' [{string.Join(", ", entry.Value.shape)}]"))}.");

    public override int Count => (int)weight.shape[0];

    public override long OutFeatures => weight.shape[1];

    public override long InFeatures => weight.shape[2];

    public override Device Device => weight.device;

    public override ScalarType DType => weight.dtype;

    public override string StorageKind => Kind;

    public override IReadOnlyDictionary<string, Tensor> Tensors => new Dictionary<string, Tensor> { [nameof(weight)] = weight };

    public override long StorageBytes => weight.numel() * weight.ElementSize;

    public override Tensor Multiply(Tensor tokens, RoutingDecision decision, Tensor? bias) =>
        tokens.device_type == DeviceType.CPU || !GroupedProduct.Supports(weight) ? MultiplyOneByOne(tokens, decision, bias) : MultiplyGrouped(tokens, decision, bias);

    /// <summary>All experts in one call, without waiting for the device.</summary>
    internal Tensor MultiplyGrouped(Tensor tokens, RoutingDecision decision, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        DeviceGroups groups = decision.OnDevice();
        Tensor product = GroupedProduct.Multiply(tokens.index_select(0, groups.Order), weight, groups.Ends);
        Tensor output = bias is null ? product : product + bias;
        return output.index_select(0, groups.Inverse).MoveToOuterDisposeScope();
    }

    private Tensor MultiplyOneByOne(Tensor tokens, RoutingDecision decision, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        ReadOnlySpan<int> offsets = decision.OnHost().Offsets;
        DeviceGroups groups = decision.OnDevice();
        Tensor sorted = tokens.index_select(0, groups.Order);
        var outputs = new List<Tensor>(Count);
        for (int e = 0; e < Count; e++)
        {
            int count = offsets[e + 1] - offsets[e];
            if (count > 0)
            {
                outputs.Add(nn.functional.linear(sorted.narrow(0, offsets[e], count), weight.select(0, e), bias));
            }
        }

        return cat(outputs, 0).index_select(0, groups.Inverse).MoveToOuterDisposeScope();
    }

    public override ExpertWeights ConvertTo(ScalarType dtype, Device device)
    {
        _to(device, dtype, non_blocking: false);
        return this;
    }

    public override Tensor ToDense(int expert)
    {
        using var noGrad = no_grad();
        using Tensor slice = weight.select(0, expert);
        return slice.clone();
    }

    public override long CountNonzero(int expert)
    {
        using var scope = NewDisposeScope();
        return weight.select(0, expert).count_nonzero().item<long>();
    }
}
