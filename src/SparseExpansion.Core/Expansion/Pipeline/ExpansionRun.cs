using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.Telemetry;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>All that changes while a request is carried out.</summary>
/// <param name="request">The request.</param>
/// <param name="blocks">The blocks with their targets.</param>
/// <param name="schedule">Division of the work so that it fits a memory budget; null: none.</param>
/// <param name="batches"> The calibration batches, with what the model hands its blocks besides the hidden state.
/// </param>
/// <param name="stages">Told of every step.</param>
/// <param name="cancellationToken">Observed between units of work.</param>
internal sealed class ExpansionRun(
    ExpansionRequest request, IReadOnlyList<ExpansionBlock> blocks, MemorySchedule? schedule,
    IReadOnlyList<CalibrationBatch> batches, StageReporter stages,
    CancellationToken cancellationToken)
{
    private readonly List<LayerReport> _layers = [];
    private readonly Dictionary<string, List<object>> _blockParts = [];
    private IReadOnlyDictionary<string, SparsityTarget>? _targets;

    public ExpansionRequest Request => request;

    public ExpansionOptions Options => request.Options;

    public IReadOnlyList<ExpansionBlock> Blocks => blocks;

    public MemorySchedule? Schedule => schedule;

    public IReadOnlyList<CalibrationBatch> Batches => batches;

    public CancellationToken CancellationToken => cancellationToken;

    public Device Device => blocks[0].Calibration.Device;

    /// <summary>Changes that were made to the model so far.</summary>
    public ModelChanges Changes { get; } = new();

    /// <summary>The dense model's hidden states, where a step needs them; null otherwise.</summary>
    public DenseStream? Dense { get; set; }

    /// <summary>The expanded model's hidden states: what enters the next block.</summary>
    public IReadOnlyList<CalibrationBatch> Hidden { get; set; } = [];

    /// <summary>Input groups that are finished; they number the seeds.</summary>
    public int GroupsDone { get; private set; }

    /// <summary>Reports of the layers of finished blocks.</summary>
    public IReadOnlyList<LayerReport> Layers => _layers;

    /// <summary>Reports of steps on finished blocks, by name.</summary>
    public IReadOnlyDictionary<string, List<object>> BlockParts => _blockParts;

    /// <summary>Target that says how many weights of a linear are pruned.</summary>
    public SparsityTarget TargetOf(string layer) => _targets?[layer] ?? request.Target!;

    /// <summary>Gives every linear a target of its own, by module path.</summary>
    public void SetTargets(IReadOnlyDictionary<string, SparsityTarget> targets) => _targets = targets;

    /// <summary>Takes over what is reported of a finished block.</summary>
    public void Finish(int groups, IEnumerable<LayerReport> layers, IReadOnlyDictionary<string, object> parts)
    {
        GroupsDone += groups;
        _layers.AddRange(layers);
        foreach ((string name, object part) in parts)
        {
            _blockParts.TryAdd(name, []);
            _blockParts[name].Add(part);
        }
    }

    /// <summary>Tells of a step.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="block">Index of the block.</param>
    /// <param name="layer">The linears at work, or null.</param>
    /// <param name="share"> Share of the stage's part of the block that is done; of all stages that make experts
    /// together.
    /// </param>
    public void Report(ExpansionStage stage, int block, string? layer, double share) =>
        stages.Enter(stage, block, layer, (block + ShareOfBlock(stage, share)) / blocks.Count);

    private double ShareOfBlock(ExpansionStage stage, double share)
    {
        double later = request.Steps.Sum(step => step.ShareOfBlock);
        if (stage.MakesExperts)
        {
            return share * (1 - later);
        }

        IExpansionStep[] before = [.. request.Steps.TakeWhile(step => step.BlockStage != stage)];
        return before.Length == request.Steps.Count
            ? share
            : 1 - later + before.Sum(step => step.ShareOfBlock) + (share * request.Steps[before.Length].ShareOfBlock);
    }
}
