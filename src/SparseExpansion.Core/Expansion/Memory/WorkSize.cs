using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>The numbers that memory and time depend on.</summary>
internal sealed class WorkSize
{
    /// <summary>What libtorch, the runtime and small things take.</summary>
    private const long LibraryBytes = 512L << 20;

    /// <summary>Experts assumed of routers that do not tell.</summary>
    private const int UnknownExperts = 16;

    public WorkSize(ExpansionPlan plan, IReadOnlyList<ExpansionUnit> units)
    {
        Plan = plan;
        Units = units;
        Tokens = CountTokens(plan);
        BatchTokens = plan.Batches.Max(TokensOf);
        Experts = plan.Trainer is ISizedRouterTrainer sized ? sized.MostExperts : UnknownExperts;
        Tensor weight = ((Linear)units[^1].Slots[0].Dense).weight!;
        ElementSize = weight.ElementSize;
        Packs = plan.Options.Pack && weight.device.type == DeviceType.CPU && PackedExperts.Supports(weight.dtype);
        ModelBytes = plan.Model.parameters().Concat(plan.Model.buffers()).Sum(tensor => tensor.numel() * tensor.ElementSize);
        HiddenFeatures = units.Where(unit => unit.IsBlock && unit.Slots.Count > 0).Select(unit => unit.Slots.Min(slot => Shape(slot).In)).DefaultIfEmpty(0).Max();
        WidestFeatures = plan.Model.modules().OfType<Linear>().Max(linear => Math.Max(linear.in_features, linear.out_features));
    }

    public ExpansionPlan Plan { get; }

    public IReadOnlyList<ExpansionUnit> Units { get; }

    public long Tokens { get; }

    public long BatchTokens { get; }

    public int Experts { get; }

    public long ElementSize { get; }

    public long ModelBytes { get; }

    public long HiddenFeatures { get; }

    public long WidestFeatures { get; }

    public bool WeightsAreMapped => Plan.Options.Memory?.WeightsAreMapped ?? false;

    /// <summary>True if experts end up packed.</summary>
    public bool Packs { get; }

    /// <summary>True if finished blocks lie in the store's files; experts that are not packed stay in memory.</summary>
    public bool FinishedAreMapped => Packs && Plan is { Store: not null, Options.Memory: not null };

    /// <summary>Dense experts of all units where the last one runs the whole model, for which finished blocks are unpacked; otherwise 0.</summary>
    public long UnpackedBytes => Units.Count > 1 && !Units[^1].IsBlock ? Units.SelectMany(unit => unit.Slots).Sum(DenseExperts) : 0;

    /// <summary>Resident apart from experts and activations.</summary>
    public long BaseBytes => LibraryBytes + (WeightsAreMapped ? 0 : ModelBytes);

    /// <summary>True if the inputs of the dense model are captured beside those of the expanded one.</summary>
    public bool Compensates => Plan.Compensation is not null;

    /// <summary>Models whose inputs are captured.</summary>
    public int Streams => Compensates ? 2 : 1;

    /// <summary>Models whose activations travel from block to block; fine-tuning keeps what the dense blocks put out.</summary>
    public int HiddenStreams => Compensates || Plan.FineTuning is not null ? 2 : 1;

    /// <summary>A few activations of the widest layer, of one batch.</summary>
    public long ForwardBytes => 4 * BatchTokens * WidestFeatures * sizeof(float);

    public long HiddenBytes => HiddenStreams * Tokens * HiddenFeatures * ElementSize;

    public long CaptureBytes => Units.SelectMany(unit => unit.Slots).Max(slot => Streams * Tokens * Shape(slot).In * sizeof(float));

    /// <summary>Bytes of the masked dense experts of a linear.</summary>
    public long DenseExperts(ModuleSlot slot) => Experts * Shape(slot).In * Shape(slot).Out * ElementSize;

    /// <summary>Bytes of the packed experts of a linear: values that stay, and a bit for each weight.</summary>
    public long StoredExperts(ModuleSlot slot) => !Packs
        ? DenseExperts(slot)
        : (long)(Experts * Shape(slot).In * Shape(slot).Out * (((1 - Plan.Target!.Sparsity) * ElementSize) + 0.25));

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
    public long PrunerBytes(long rows, long features, int experts) => PrunerSize.Bytes(Plan.Sparsifier!, rows, features, experts);

    /// <summary>Bytes of the tokens that a router's refinement learns from: as captured, standardised, and one more copy on the way.</summary>
    public long RefinementBytes(long features) => Plan.Refinement is { } refinement
        ? 3 * sizeof(float) * Math.Min(refinement.FitTokens, Tokens) * features
        : 0;

    /// <summary>Bytes of what error compensation sums up over the tokens of each expert, of the equations of one, and of the weight that it makes for one.</summary>
    public long CompensationBytes(long rows, long features, int experts) => Compensates
        ? sizeof(float) * ((((2 * experts) + 4) * features * features) + (2 * rows * features))
        : 0;

    /// <summary>Weights that a token meets in a unit.</summary>
    public long Parameters(int unit) =>
        (Units[unit].IsBlock ? Plan.Blocks[unit].Module : Plan.Model).parameters().Sum(parameter => parameter.numel());

    private IActivationStatistic NewStatistic() => PruningChecks.CreateStatistic(Plan.Sparsifier!, new LayerDescriptor("memory plan", 1, 1, CPU));

    /// <summary>Tokens of all calibration batches, padding included.</summary>
    public static long CountTokens(ExpansionPlan plan) => plan.Batches.Sum(TokensOf);

    public static (long In, long Out) Shape(ModuleSlot slot) => (((Linear)slot.Dense).in_features, ((Linear)slot.Dense).out_features);

    /// <summary>Linears of a unit by the width of their inputs: at most as many groups share one.</summary>
    public static IEnumerable<IGrouping<long, ModuleSlot>> Widths(ExpansionUnit unit) => unit.Slots.GroupBy(slot => Shape(slot).In);

    /// <summary>Tokens of a batch, padding included.</summary>
    public static long TokensOf(CalibrationBatch batch) =>
        batch.Input.is_floating_point() ? batch.Input.numel() / batch.Input.shape[^1] : batch.Input.numel();
}
