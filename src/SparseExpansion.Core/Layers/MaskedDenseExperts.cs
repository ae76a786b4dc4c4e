using SparseExpansion.Internal.Torch;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Experts as one dense tensor with zeros in it: differentiable, on any device.</summary>
internal sealed class MaskedDenseExperts : ExpertWeights
{
    /// <summary>Name of the layout in checkpoints.</summary>
    public const string Kind = "masked-dense";

    /// <summary>Name of the one tensor.</summary>
    public const string WeightName = nameof(weight);

    private readonly Parameter weight;
    private readonly QuantizationGrid[]? _grids;
    private Tensor? _kept; // Made after registration, so that no checkpoint holds it.

    /// <summary>Unpacks the experts of another storage.</summary>
    public static MaskedDenseExperts From(ExpertWeights experts)
    {
        using var scope = NewDisposeScope();
        int[] all = [.. Enumerable.Range(0, experts.Count)];
        return new MaskedDenseExperts([.. all.Select(experts.ToDense)], [.. all.Select(experts.GridOf)]);
    }

    /// <summary>Copies the experts' weights into one parameter [experts, out_features, in_features].</summary>
    /// <param name="weights">One for each expert.</param>
    /// <param name="grids">The grids that they were rounded to; copied where every expert has one.</param>
    public MaskedDenseExperts(IReadOnlyList<Tensor> weights, IReadOnlyList<QuantizationGrid?>? grids = null)
        : base(nameof(MaskedDenseExperts))
    {
        _grids = grids is null || grids.Contains(null) ? null : [.. grids.Select(grid => grid!.CloneOnHost())];
        weight = FrozenParameter.Create(() => stack(weights));
        RegisterComponents();
    }

    private MaskedDenseExperts(Tensor stacked, bool share)
        : base(nameof(MaskedDenseExperts))
    {
        weight = FrozenParameter.Create(() => share ? stacked.alias() : stacked.clone());
        RegisterComponents();
    }

    /// <param name="layer">For messages.</param>
    /// <param name="shape">[experts, out_features, in_features].</param>
    /// <param name="tensors">The tensors from <see cref="Tensors"/>.</param>
    /// <param name="share">True: the experts lie in the tensor's memory and are only read; false: in a copy.</param>
    public static MaskedDenseExperts FromTensors(
        string layer, long[] shape, IReadOnlyDictionary<string, Tensor> tensors, bool share) =>
        tensors.Count == 1 && tensors.TryGetValue(nameof(weight), out Tensor? stacked)
            && stacked.shape.SequenceEqual(shape) && stacked.is_floating_point()
            ? new MaskedDenseExperts(stacked, share)
            : throw new CheckpointException(
                $"The experts of layer '{layer}' must be one floating-point tensor '{nameof(weight)}' "
                + $"[{string.Join(", ", shape)}]; the checkpoint has "
                + $"{string.Join(", ", tensors.Select(entry => $"'{entry.Key}' {TensorText.Of(entry.Value)}"))}.");

    public override int Count => (int)weight.shape[0];

    public override long OutFeatures => weight.shape[1];

    public override long InFeatures => weight.shape[2];

    public override Device Device => weight.device;

    public override ScalarType DType => weight.dtype;

    public override string StorageKind => Kind;

    public override IReadOnlyDictionary<string, Tensor> Tensors
    {
        get
        {
            Project();
            return new Dictionary<string, Tensor> { [nameof(weight)] = weight };
        }
    }

    /// <summary>True between <see cref="Unfreeze"/> and <see cref="Freeze"/>.</summary>
    public bool IsTrainable => _kept is not null;

    /// <summary>
    /// Lets the weights that are not zero be trained: from now on the product is that of weight · mask.
    /// </summary>
    /// <exception cref="InvalidOperationException">The weights were rounded to grids, which training would
    /// leave.</exception>
    public Parameter Unfreeze()
    {
        if (_grids is not null)
        {
            throw new InvalidOperationException(
                "Quantized experts cannot be trained: their weights would leave the grid. "
                + "Train first, without quantization.");
        }

        if (_kept is null)
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            _kept = weight.ne(Scalars.Of(0)).to(weight.dtype).DetachFromDisposeScope();
            weight.requires_grad_(true);
        }

        return weight;
    }

    /// <summary>Pruned weights that are no longer zero: those that <see cref="Freeze"/> would set back.</summary>
    public long CountStray()
    {
        if (_kept is null)
        {
            return 0;
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return weight.ne(Scalars.Of(0)).logical_and_(Kept().eq(Scalars.Of(0))).count_nonzero().item<long>();
    }

    /// <summary>Ends the training.</summary>
    public void Freeze()
    {
        Project();
        weight.requires_grad_(false);
        _kept?.Dispose();
        _kept = null;
    }

    /// <summary>Sets masked weights back to zero, in case an optimizer has written there.</summary>
    private void Project()
    {
        if (_kept is not null)
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            weight.masked_fill_(Kept().eq(Scalars.Of(0)), Scalars.Of(0));
        }
    }

    /// <summary>The mask where the weight is now.</summary>
    private Tensor Kept()
    {
        if (_kept!.dtype != weight.dtype || !Placement.Same(_kept.device, weight.device))
        {
            using Tensor old = _kept;
            _kept = old.to(weight.dtype, weight.device).DetachFromDisposeScope();
        }

        return _kept;
    }

    private Tensor Effective() => _kept is null ? weight : weight * Kept();

    public override long StorageBytes => weight.numel() * weight.ElementSize;

    public override Tensor Multiply(Tensor tokens, RoutingDecision decision, Tensor? bias) =>
        tokens.device_type == DeviceType.CPU || !GroupedProduct.Supports(weight)
            ? MultiplyOneByOne(tokens, decision, bias)
            : MultiplyGrouped(tokens, decision, bias);

    /// <summary>All experts in one call, without waiting for the device.</summary>
    internal Tensor MultiplyGrouped(Tensor tokens, RoutingDecision decision, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        DeviceGroups groups = decision.OnDevice();
        Tensor product = GroupedProduct.Multiply(tokens.index_select(0, groups.Order), Effective(), groups.Ends);
        Tensor output = bias is null ? product : product.Plus(bias);
        return output.index_select(0, groups.Inverse).MoveToOuterDisposeScope();
    }

    private Tensor MultiplyOneByOne(Tensor tokens, RoutingDecision decision, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        long[] counts = CountTokens(decision.OnHost());
        DeviceGroups groups = decision.OnDevice();

        // Divided once each: the gradient of every narrow or select would be as large as the whole.
        Tensor[] shares = tokens.index_select(0, groups.Order).split(counts);
        Tensor[] weights = Effective().unbind(0);
        Tensor[] outputs = [.. Enumerable.Range(0, Count).Where(e => counts[e] > 0)
            .Select(e => nn.functional.linear(shares[e], weights[e], bias))];
        return cat(outputs, 0).index_select(0, groups.Inverse).MoveToOuterDisposeScope();
    }

    private long[] CountTokens(HostGroups groups)
    {
        ReadOnlySpan<int> offsets = groups.Offsets;
        var counts = new long[Count];
        for (int e = 0; e < Count; e++)
        {
            counts[e] = offsets[e + 1] - offsets[e];
        }

        return counts;
    }

    public override ExpertWeights ConvertTo(ScalarType dtype, Device device)
    {
        _to(device, dtype, non_blocking: false);
        return this;
    }

    public override Tensor ToDense(int expert)
    {
        using var noGrad = no_grad();
        Project();
        using Tensor slice = weight.select(0, expert);
        return slice.clone();
    }

    public override QuantizationGrid? GridOf(int expert) => _grids?[expert];

    public override long CountNonzero(int expert)
    {
        using var scope = NewDisposeScope();
        Project();
        return weight.select(0, expert).count_nonzero().item<long>();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _kept?.Dispose();
            Array.ForEach(_grids ?? [], grid => grid.Dispose());
        }

        base.Dispose(disposing);
    }
}
