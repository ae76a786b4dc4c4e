using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using SparseExpansion.Serialization.Expanded;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Memory;

/// <summary>The numbers that memory and time depend on.</summary>
internal sealed class WorkSize
{
    /// <summary>Bytes that libtorch, the runtime and small things take.</summary>
    private const long LibraryBytes = 512L << 20;

    /// <summary>Experts assumed of routers that do not tell.</summary>
    private const int UnknownExperts = 16;

    /// <param name="request">The request.</param>
    /// <param name="batches">The calibration batches.</param>
    /// <param name="blocks">The blocks with their targets.</param>
    /// <param name="costs">Tell what steps take beyond the rest, from this size.</param>
    public WorkSize(
        ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, IReadOnlyList<ExpansionBlock> blocks,
        IReadOnlyList<Func<WorkSize, StepCost>> costs)
    {
        Request = request;
        Batches = batches;
        Blocks = blocks;
        Tokens = CountTokens(batches);
        BatchTokens = batches.Max(TokensOf);
        Experts = request.Trainer is ISizedRouterTrainer sized ? sized.MostExperts : UnknownExperts;
        Tensor weight = ((Linear)blocks.Last(block => block.Slots.Count > 0).Slots[0].Dense).weight!;
        ElementSize = weight.ElementSize;
        Packs = request.Options.Pack && weight.device.type == DeviceType.CPU && PackedExperts.Supports(weight.dtype);
        ModelBytes = request.Model.parameters().Concat(request.Model.buffers()).Sum(
            tensor => tensor.numel() * tensor.ElementSize);
        HiddenFeatures = blocks.Where(block => !block.IsWholeModel && block.Slots.Count > 0)
            .Select(block => block.Slots.Min(slot => Shape(slot).In)).DefaultIfEmpty(0).Max();
        WidestFeatures = request.Model.modules().OfType<Linear>().Max(
            linear => Math.Max(linear.in_features, linear.out_features));
        Steps = [.. costs.Select(cost => cost(this))];
    }

    public ExpansionRequest Request { get; }

    public IReadOnlyList<CalibrationBatch> Batches { get; }

    public IReadOnlyList<ExpansionBlock> Blocks { get; }

    /// <summary>Costs of the steps.</summary>
    public IReadOnlyList<StepCost> Steps { get; } = [];

    public long Tokens { get; }

    public long BatchTokens { get; }

    public int Experts { get; }

    public long ElementSize { get; }

    public long ModelBytes { get; }

    public long HiddenFeatures { get; }

    public long WidestFeatures { get; }

    public bool WeightsAreMapped => Request.Options.Memory?.WeightsAreMapped ?? false;

    /// <summary>True if experts end up packed.</summary>
    public bool Packs { get; }

    /// <summary>True if finished blocks lie in the store's files; experts that are not packed stay in memory.</summary>
    public bool FinishedAreMapped => Packs && Request is { Store: not null, Options.Memory: not null };

    /// <summary>
    /// Dense experts of all blocks where the last one runs the whole model, for which finished blocks are unpacked;
    /// otherwise 0.
    /// </summary>
    public long UnpackedBytes =>
        Blocks.Count > 1 && Blocks[^1].IsWholeModel ? Blocks.SelectMany(block => block.Slots).Sum(DenseExperts) : 0;

    /// <summary>Resident apart from experts and activations.</summary>
    public long BaseBytes => LibraryBytes + (WeightsAreMapped ? 0 : ModelBytes);

    /// <summary>Models whose inputs are captured.</summary>
    public int Streams => Steps.Any(step => step.CapturesDense) ? 2 : 1;

    /// <summary>Models whose activations travel from block to block.</summary>
    public int HiddenStreams => Steps.Any(step => step.PropagatesDense) ? 2 : 1;

    /// <summary>A few activations of the widest layer, of one batch.</summary>
    public long ForwardBytes => 4 * BatchTokens * WidestFeatures * sizeof(float);

    public long HiddenBytes => HiddenStreams * Tokens * HiddenFeatures * ElementSize;

    public long CaptureBytes =>
        Blocks.SelectMany(block => block.Slots).Max(slot => Streams * Tokens * Shape(slot).In * sizeof(float));

    /// <summary>Bytes of the masked dense experts of a linear.</summary>
    public long DenseExperts(ModuleSlot slot) => Experts * Shape(slot).In * Shape(slot).Out * ElementSize;

    /// <summary>Bytes of the packed experts of a linear: values that stay, and a bit for each weight.</summary>
    public long StoredExperts(ModuleSlot slot) => !Packs
        ? DenseExperts(slot)
        : (long)(Experts * Shape(slot).In * Shape(slot).Out * (((1 - Request.Target!.Sparsity) * ElementSize) + 0.25));

    /// <summary>Bytes of one expert's statistic.</summary>
    public long Statistic(long features)
    {
        using IActivationStatistic probe = NewStatistic();
        return StatisticSize.Bytes(probe, features);
    }

    /// <summary>Floating-point operations to observe all tokens once.</summary>
    public double StatisticWork(long features)
    {
        using IActivationStatistic probe = NewStatistic();
        return StatisticSize.Work(probe, Tokens, features);
    }

    /// <summary>Bytes that the pruner works with, for a number of experts at a time.</summary>
    public long PrunerBytes(long rows, long features, int experts) =>
        PrunerSize.Bytes(Request.Sparsifier!, rows, features, experts);

    /// <summary>Weights that a token meets in a block.</summary>
    public long Parameters(int block) => ModuleOf(block).parameters().Sum(parameter => parameter.numel());

    /// <summary>The part of the model that runs as a block.</summary>
    public nn.Module ModuleOf(int block) => Blocks[block].IsWholeModel ? Request.Model : Request.Blocks[block].Module;

    private IActivationStatistic NewStatistic() =>
        PruningChecks.CreateStatistic(Request.Sparsifier!, new LayerDescriptor("memory plan", 1, 1, CPU));

    /// <summary>Tokens of all calibration batches, padding included.</summary>
    public static long CountTokens(IReadOnlyList<CalibrationBatch> batches) => batches.Sum(TokensOf);

    public static (long In, long Out) Shape(ModuleSlot slot) =>
        (((Linear)slot.Dense).in_features, ((Linear)slot.Dense).out_features);

    /// <summary>Linears of a block by the width of their inputs: at most as many groups share one.</summary>
    public static IEnumerable<IGrouping<long, ModuleSlot>> Widths(ExpansionBlock block) =>
        block.Slots.GroupBy(slot => Shape(slot).In);

    /// <summary>Tokens of a batch, padding included.</summary>
    public static long TokensOf(CalibrationBatch batch) =>
        batch.Input.is_floating_point() ? batch.Input.numel() / batch.Input.shape[^1] : batch.Input.numel();
}
