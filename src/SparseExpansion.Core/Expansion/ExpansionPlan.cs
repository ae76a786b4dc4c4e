using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SparseExpansion.Calibration;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>What the builder has collected.</summary>
internal sealed record ExpansionPlan(nn.Module Model)
{
    public IReadOnlyList<Block> Blocks { get; init; } = [];

    /// <summary>Null: all linears, or with blocks all inside them.</summary>
    public TargetFilter? Targets { get; init; }

    public IRouterTrainer? Trainer { get; init; }

    public ISparsifier? Sparsifier { get; init; }

    public SparsityAllocation Allocation { get; init; } = SparsityAllocation.Uniform;

    /// <summary>What <see cref="Allocation"/> gives to each linear, by module path; none: the target for all.</summary>
    public IReadOnlyDictionary<string, SparsityTarget>? Allocated { get; init; }

    /// <summary>Null: routers stay as they are trained.</summary>
    public RouterRefinementOptions? Refinement { get; init; }

    /// <summary>Null: experts are pruned from the dense weight.</summary>
    public ErrorCompensationOptions? Compensation { get; init; }

    /// <summary>Null: experts stay as they are pruned.</summary>
    public FineTuningOptions? FineTuning { get; init; }

    public SparsityTarget? Target { get; init; }

    public IReadOnlyList<CalibrationBatch> Batches { get; init; } = [];

    /// <summary>Makes <see cref="Batches"/>, which are then the run's own; null: they are the caller's.</summary>
    public Func<IEnumerable<CalibrationBatch>>? BatchSource { get; init; }

    public Func<Tensor, Tensor>? Forward { get; init; }

    public ExpansionOptions Options { get; init; } = new();

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>How the work is cut so that it fits a memory budget; null: not at all.</summary>
    public MemorySchedule? Memory { get; init; }

    /// <summary>Where finished blocks are kept; null: nowhere.</summary>
    public IExpansionStore? Store { get; init; }

    /// <summary>True: blocks that the store holds are not expanded again.</summary>
    public bool Resume { get; init; }

    /// <summary>Kinds of routers that the store may hold.</summary>
    public RouterKinds RouterKinds { get; init; } = RouterKinds.Default;

    /// <summary>What later layers of a block are calibrated on: there is nothing to compensate for at dense ones.</summary>
    public BlockInputs WithinBlock => Compensation is null ? Options.WithinBlock : BlockInputs.Expanded;

    /// <summary>True if the model hands its blocks more than a hidden state.</summary>
    public bool BlocksTakeMore => Blocks.Any(block => block.OtherArguments > 0);

    /// <summary>How many weights of a linear go.</summary>
    public SparsityTarget TargetOf(string name) => Allocated?[name] ?? Target!;

    public void Validate()
    {
        string? missing =
            Trainer is null ? "RouteWith"
            : Sparsifier is null ? "PruneWith"
            : Batches.Count == 0 && BatchSource is null ? "CalibrateOn"
            : Forward is null ? "ForwardWith (the model is no Module<Tensor, Tensor>)"
            : null;
        if (missing is not null)
        {
            throw new InvalidOperationException($"The expansion is incomplete: call {missing} before Run.");
        }

        if (Allocation.Method != AllocationMethod.Uniform && Target is not UnstructuredTarget)
        {
            throw new InvalidOperationException(
                $"{Target} sparsity keeps the same share everywhere, so Allocate has nothing to divide: ask for an unstructured target or leave Allocate out.");
        }

        if (Allocation.PerExpert && Options.Memory is not null)
        {
            throw new InvalidOperationException("Allocation among experts needs the statistics of all experts at once; it does not go with a memory budget (WithMemory).");
        }

        if (BlocksTakeMore && Options.Memory is not null)
        {
            throw new InvalidOperationException(
                "What blocks take beside the hidden state, masks or positions, is kept in memory for all batches; that does not go with a memory budget (WithMemory). Leave the budget out, or let each block make its mask itself.");
        }

        if (FineTuning is not null)
        {
            ValidateFineTuning();
        }
    }

    /// <summary>The path of a module in the model; null if it is no part of it.</summary>
    public string? PathOf(nn.Module module) => Model.named_modules().FirstOrDefault(entry => ReferenceEquals(entry.module, module)).name;

    private void ValidateFineTuning()
    {
        if (Options.Memory is not null)
        {
            throw new InvalidOperationException(
                "Fine-tuning keeps what enters and leaves a block, and its experts with their gradients, in memory; it does not go with a memory budget (WithMemory). Leave one of them out; a recipe does without fine-tuning as recipe with { FineTuning = null }.");
        }

        if (Sparsifier is IRoundingSparsifier { RoundsWeights: true })
        {
            throw new InvalidOperationException(
                $"FineTune does not go with quantisation: training would move the weights off the grid that pruner '{Sparsifier.Name}' rounds them to. Leave one of them out; a recipe does without fine-tuning as recipe with {{ FineTuning = null }}.");
        }
    }
}
