using SparseExpansion.Calibration.Capture;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Quantization;
using SparseExpansion.Routing;
using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// A linear layer as a mixture of sparse experts: a router sends each token to one expert, whose pruned copy of the
/// weight multiplies it. It stands in for <c>nn.Linear</c>: y = W_{e(x)} x + b, arXiv 2405.15756, section 2; or y =
/// W_{e(x)} x + b_{e(x)}.
/// </summary>
/// <remarks>
/// Experts are stored packed (non-zero weights only, CPU; gradients flow through them to what comes before, but they
/// have none themselves) or masked dense (differentiable, any device); see <see cref="Pack"/> and <see cref="Unpack"/>.
/// <c>state_dict</c> names: <c>router.*</c> (if the router is a module), <c>bias</c> [out_features] or [experts,
/// out_features], and <c>experts.weight</c> [experts, out_features, in_features] or <c>experts.items.E.values</c>,
/// <c>.masks</c>, <c>.row_order</c>, <c>.panel_offsets</c> for every expert E, with <c>.scales</c> and <c>.zeros</c> if
/// it is quantized. The dense layer is never run. <c>load_state_dict</c> into packed experts is for layers that were
/// packed alike: what it brought is checked on the next use, and a layer that no longer holds packed experts says so.
/// Tensors that <c>state_dict</c>, <c>buffers</c> or <c>get_buffer</c> gave may be written to before that next use
/// only; ask for them again to write later.
/// </remarks>
public sealed class SparseMixtureLayer : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module? router;
    private ExpertWeights experts;
    private readonly Parameter? bias;
    private readonly SharedRouter _shared;

    /// <summary>Builds the layer from pruned weights, with a router of its own.</summary>
    /// <param name="name">Module path in the model, for messages, reports and files: a model whose layers are called
    /// otherwise cannot be saved.</param>
    /// <param name="router">Router for in_features-wide tokens; belongs to the layer, which disposes it.</param>
    /// <param name="expertWeights">One weight [out_features, in_features] for every expert of the router;
    /// copied.</param>
    /// <param name="bias">[out_features], shared by the experts; [experts, out_features], one for each; or null.
    /// Copied.</param>
    /// <exception cref="ArgumentException">Counts or shapes do not fit.</exception>
    public SparseMixtureLayer(string name, IRouter router, IReadOnlyList<Tensor> expertWeights, Tensor? bias = null)
        : this(name, new SharedRouter(router), expertWeights, bias)
    {
    }

    /// <summary>Builds the layer from pruned weights, with the router of its input group.</summary>
    /// <param name="name">Module path in the model, for messages, reports and files: a model whose layers are called
    /// otherwise cannot be saved.</param>
    /// <param name="router">The group's router. All layers that are built on it own it together: it is disposed with
    /// the last of them, so build them all before disposing one.</param>
    /// <param name="expertWeights">One weight [out_features, in_features] for every expert of the router;
    /// copied.</param>
    /// <param name="bias">[out_features], shared by the experts; [experts, out_features], one for each; or null.
    /// Copied.</param>
    /// <exception cref="ArgumentException">Counts or shapes do not fit.</exception>
    /// <exception cref="ObjectDisposedException">All layers that were built on the router are disposed.</exception>
    public SparseMixtureLayer(
        string name, SharedRouter router, IReadOnlyList<Tensor> expertWeights, Tensor? bias = null)
        : this(name, router, new MaskedDenseExperts(MixtureGuard.CheckWeights(name, router, expertWeights, bias)), bias)
    {
    }

    internal SparseMixtureLayer(string name, SharedRouter router, ExpertWeights experts, Tensor? bias)
        : base(nameof(SparseMixtureLayer))
    {
        MixtureGuard.CheckParts(name, router, experts.OutFeatures, experts.InFeatures, bias);
        Name = name;
        _shared = router;
        this.router = router.Router as nn.Module;
        this.experts = experts;
        if (bias is not null)
        {
            this.bias = FrozenParameter.Create(() => bias.detach().clone());
        }

        RegisterComponents();
        router.Join(this);
    }

    /// <summary>Module path of the layer in its model.</summary>
    public string Name { get; }

    /// <summary>Number of experts.</summary>
    public int ExpertCount => experts.Count;

    /// <summary>Width of the input tokens.</summary>
    public long InFeatures => experts.InFeatures;

    /// <summary>Width of the output tokens.</summary>
    public long OutFeatures => experts.OutFeatures;

    /// <summary>True if a bias is added.</summary>
    public bool HasBias => bias is not null;

    /// <summary>True if each expert adds a bias of its own.</summary>
    public bool HasExpertBias => bias is { Dimensions: 2 };

    /// <summary>The router, shared with the other layers of the input group.</summary>
    public SharedRouter InputGroup => _shared;

    /// <summary>Bytes of the experts' weights in memory, without router and bias.</summary>
    public long ExpertBytes => experts.StorageBytes;

    /// <summary>True if the experts are stored packed.</summary>
    public bool IsPacked => experts is PackedExperts;

    /// <summary>
    /// The rounding of the packed experts to codes of few bits; null for experts of full precision, and for unpacked
    /// ones.
    /// </summary>
    public WeightQuantization? Quantization => (experts as PackedExperts)?.Quantization;

    internal ExpertWeights Experts => experts;

    internal Parameter? Bias => bias;

    /// <summary>
    /// Stores the experts packed: smaller and faster on the CPU, without gradients of their own. Values stay the same,
    /// bit by bit.
    /// </summary>
    /// <remarks>
    /// Not to be called while a forward pass runs. Experts that were rounded to a grid are stored as codes, unless they
    /// were changed since.
    /// </remarks>
    /// <returns>This layer.</returns>
    /// <exception cref="InvalidOperationException">The experts are not on the CPU, or neither float32 nor
    /// bfloat16.</exception>
    public SparseMixtureLayer Pack()
    {
        if (MakePacked() is not { } packed)
        {
            return this;
        }

        Freeze();
        return Exchange(packed);
    }

    /// <summary>
    /// Stores the experts as dense tensors with zeros in them: differentiable, movable to any device.
    /// </summary>
    /// <returns>This layer.</returns>
    /// <remarks>Not to be called while a forward pass runs.</remarks>
    public SparseMixtureLayer Unpack() => MakeUnpacked() is { } unpacked ? Exchange(unpacked) : this;

    /// <summary>True between <see cref="Unfreeze"/> and <see cref="Freeze"/>.</summary>
    public bool IsTrainable => experts is MaskedDenseExperts { IsTrainable: true };

    /// <summary>
    /// Unpacks the experts and lets their kept weights, and the bias, be trained. What is zero now stays zero by
    /// construction: the layer multiplies by weight · mask, so pruned weights get no gradient, and what an optimizer
    /// may write to them anyhow has no effect and is removed by <see cref="Freeze"/>. Routing is hard and is not
    /// differentiated; the router stays as it is.
    /// </summary>
    /// <returns>Parameters for an optimizer: the weight [experts, out_features, in_features], and the bias
    /// [out_features] or [experts, out_features] if there is one.</returns>
    /// <remarks>
    /// Takes twice the experts' memory. Move the layer before, not after. Not to be called while a forward pass runs.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The experts were rounded to a grid, which training would leave; the
    /// layer stays as it is.</exception>
    public IReadOnlyList<Parameter> Unfreeze()
    {
        MixtureGuard.RequireTrainable(this);
        Unpack();
        Parameter weight = ((MaskedDenseExperts)experts).Unfreeze();
        bias?.requires_grad_(true);
        return bias is null ? [weight] : [weight, bias];
    }

    /// <summary>
    /// Ends the training: pruned weights are exactly zero, and nothing requires a gradient. <see cref="Pack"/> may
    /// follow.
    /// </summary>
    /// <returns>This layer.</returns>
    public SparseMixtureLayer Freeze()
    {
        (experts as MaskedDenseExperts)?.Freeze();
        bias?.requires_grad_(false);
        return this;
    }

    /// <summary>Share of the experts' weights that are exactly zero.</summary>
    public double MeasureSparsity()
    {
        double nonzero = Enumerable.Range(0, ExpertCount).Sum(e => (double)experts.CountNonzero(e));
        return 1 - nonzero / ((double)ExpertCount * InFeatures * OutFeatures);
    }

    /// <summary>
    /// A copy of one expert's weight with its zeros, [out_features, in_features]; the caller disposes it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">No such expert.</exception>
    public Tensor GetExpertWeight(int expert)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expert);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(expert, ExpertCount);
        return experts.ToDense(expert);
    }

    /// <summary>The expert of every token.</summary>
    /// <param name="input">[.., in_features], on the device of the experts.</param>
    /// <returns>int64 [..], values in [0, <see cref="ExpertCount"/>).</returns>
    /// <exception cref="ArgumentException">The last dimension is not in_features.</exception>
    public Tensor Route(Tensor input)
    {
        MixtureGuard.CheckInput(this, input);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return RouterCalls.Route(_shared.Router, input.reshape(-1, InFeatures)).reshape(input.shape[..^1])
            .MoveToOuterDisposeScope();
    }

    /// <summary>Routes every token to its expert and multiplies it there.</summary>
    /// <param name="input">[.., in_features], on the device and in the dtype of the experts (packed ones take float32
    /// and bfloat16 alike); no tokens at all are fine.</param>
    /// <returns>[.., out_features].</returns>
    /// <exception cref="ArgumentException">The last dimension is not in_features.</exception>
    /// <exception cref="SparseExpansionException">The router returned something other than one of its experts for each
    /// token.</exception>
    public override Tensor forward(Tensor input)
    {
        MixtureGuard.CheckInput(this, input);
        long[] outputShape = [.. input.shape[..^1], OutFeatures];
        using var scope = NewDisposeScope();
        Tensor tokens = input.reshape(-1, InFeatures);
        if (tokens.shape[0] == 0)
        {
            return input.new_empty(outputShape).MoveToOuterDisposeScope();
        }

        experts.Verify(Name);
        try
        {
            return Multiply(input, tokens).reshape(outputShape).MoveToOuterDisposeScope();
        }
        catch (SparseExpansionException e) when (e.GetType() == typeof(SparseExpansionException))
        {
            throw new SparseExpansionException($"Layer '{Name}': {PlainMessage.Clause(e)}", e);
        }
    }

    private Tensor Multiply(Tensor input, Tensor tokens)
    {
        RoutingDecision decision = _shared.Decide(this, input, tokens);
        try
        {
            return HasExpertBias ? AddOwnBias(experts.Multiply(tokens, decision, null), decision) : experts.Multiply(tokens, decision, bias);
        }
        finally
        {
            decision.Release();
        }
    }

    private Tensor AddOwnBias(Tensor products, RoutingDecision decision)
    {
        using var scope = NewDisposeScope();
        return products.Plus(bias!.index_select(0, decision.Experts).to(products.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>The experts packed; null if they are.</summary>
    internal ExpertWeights? MakePacked() => IsPacked ? null : PackedExperts.Pack(MixtureGuard.Packable(this));

    /// <summary>The experts unpacked; null if they are.</summary>
    internal ExpertWeights? MakeUnpacked()
    {
        experts.Verify(Name);
        return IsPacked ? MaskedDenseExperts.From(experts) : null;
    }

    /// <summary>Takes over the same experts in another storage, and frees the former.</summary>
    internal SparseMixtureLayer Exchange(ExpertWeights other)
    {
        using ExpertWeights old = experts;
        experts = other;
        ModuleInternals.SetChild(this, nameof(experts), other);
        return this;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // A module disposes its children, but the router is the group's.
            ModuleInternals.RemoveChild(this, nameof(router));
        }

        base.Dispose(disposing);
        if (disposing)
        {
            _shared.Leave(this);
        }
    }
}
