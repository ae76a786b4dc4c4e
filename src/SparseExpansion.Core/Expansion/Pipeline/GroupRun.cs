using SparseExpansion.Calibration.Capture;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>
/// All that changes while the linears of one input group are expanded. Owns the router until that is taken.
/// </summary>
internal sealed class GroupRun : IDisposable
{
    private readonly BlockRun _block;
    private readonly Action<ExpansionStage, string, double> _report;
    private IRouter? _router;

    /// <param name="block">The block.</param>
    /// <param name="inputGroup">The group.</param>
    /// <param name="source">The calibration data that experts are made from.</param>
    /// <param name="tokens">The captured inputs of the group; stay with the caller.</param>
    /// <param name="report">Told of every step: stage, layers, share of the group that is done.</param>
    public GroupRun(BlockRun block, InputGroup inputGroup, ExpertSource source, ActivationStore tokens, Action<ExpansionStage, string, double> report)
    {
        (_block, InputGroup, Source, Captured, _report) = (block, inputGroup, source, tokens, report);
        Slots = [.. inputGroup.Layers.Select(layer => block.Block.Slots.Single(slot => slot.Name == layer.Name))];
        Name = string.Join(", ", Slots.Select(slot => slot.Name));
        Seed = block.Run.Options.Seed + block.Run.GroupsDone + block.Groups;
        Pruner = new ExpertPruner(
            Run.Request.Sparsifier!, Run.TargetOf(Slots[0].Name), BlockPlanner.Describe(Slots[0]),
            Run.Options.ChunkTokens);
    }

    public BlockRun Block => _block;

    public ExpansionRun Run => _block.Run;

    public InputGroup InputGroup { get; }

    /// <summary>The calibration data that the experts are made from.</summary>
    public ExpertSource Source { get; }

    /// <summary>The group's inputs.</summary>
    public ActivationStore Captured { get; }

    /// <summary>The places of the group's linears.</summary>
    public IReadOnlyList<ModuleSlot> Slots { get; }

    /// <summary>Paths of all linears, for messages.</summary>
    public string Name { get; }

    /// <summary>Seed of the group.</summary>
    public long Seed { get; }

    /// <summary>Makes experts; its target is that of the first linear.</summary>
    public ExpertPruner Pruner { get; }

    /// <summary>Experts of the router as it was trained.</summary>
    public int TrainedExperts { get; private set; }

    /// <summary>Strength in tokens of the shrinkage of the experts' statistics toward the group's.</summary>
    public double PriorTokens { get; set; }

    /// <summary>Work of the steps while the experts are made.</summary>
    public List<IGroupStep> Steps { get; } = [];

    /// <summary>The router.</summary>
    public IRouter Router =>
        _router ?? throw new InvalidOperationException("The group's router is taken, or not trained yet.");

    /// <summary>The expert of each captured token.</summary>
    public RouterAssignment? Assignment { get; private set; }

    /// <summary>All calibration tokens by expert.</summary>
    public ExpertTokens Tokens => Pruner.Divide(Captured, Assignment!);

    /// <summary>The tokens that statistics are gathered from; null: <see cref="Tokens"/>.</summary>
    public ExpertTokens? StatisticTokens { get; set; }

    /// <summary>The weight of a linear of the group, [out_features, in_features].</summary>
    public static Tensor WeightOf(ModuleSlot slot) => ((Linear)slot.Dense).weight!;

    /// <summary>Takes over a trained router, and where it sends the tokens.</summary>
    public void Train(IRouter router)
    {
        TrainedExperts = router.ExpertCount;
        Exchange(Adjust(router, Captured));
    }

    /// <summary>Lets all steps adjust a router that was just trained.</summary>
    /// <param name="router">Disposed where another one is returned, and after an error.</param>
    /// <param name="tokens">Tokens that are sent by it.</param>
    public RoutedTokens Adjust(IRouter router, ITokenSource tokens)
    {
        RoutedTokens routed;
        try
        {
            routed = new RoutedTokens(router, RouterAssignment.Compute(router, tokens, Pruner.ChunkTokens, Pruner.Layer.Device, Run.CancellationToken));
        }
        catch
        {
            router.Dispose();
            throw;
        }

        return Run.Request.Steps.Aggregate(routed, (former, step) => step.AdjustRouter(this, former, tokens));
    }

    /// <summary>Takes a router in place of the former one, which is disposed.</summary>
    public void Exchange(RoutedTokens routed)
    {
        IRouter? former = _router;
        (_router, Assignment) = (routed.Router, routed.Assignment);
        former?.Dispose();
    }

    /// <summary>The router; the caller disposes it.</summary>
    public IRouter TakeRouter()
    {
        IRouter taken = Router;
        _router = null;
        return taken;
    }

    /// <summary>Tells of a step.</summary>
    public void Report(ExpansionStage stage, string layers, double share) => _report(stage, layers, share);

    public void Dispose()
    {
        Steps.ForEach(step => step.Dispose());
        _router?.Dispose();
    }
}
