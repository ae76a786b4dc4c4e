using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Everything that the user asked for. A run changes none of it.</summary>
internal sealed record ExpansionRequest(nn.Module Model)
{
    public IReadOnlyList<Block> Blocks { get; init; } = [];

    /// <summary>Null: all linears, or with blocks all inside them.</summary>
    public TargetFilter? Targets { get; init; }

    public IRouterTrainer? Trainer { get; init; }

    public ISparsifier? Sparsifier { get; init; }

    public SparsityTarget? Target { get; init; }

    /// <summary>Steps beyond routing and pruning, in the order of <see cref="ExpansionRecipe.KnownSteps"/>.</summary>
    public IReadOnlyList<IExpansionStep> Steps { get; init; } = ExpansionRecipe.DefaultSteps;

    public IReadOnlyList<CalibrationBatch> Batches { get; init; } = [];

    /// <summary>
    /// Makes the batches, which are then the run's own; null: they are <see cref="Batches"/>, the caller's.
    /// </summary>
    public Func<IEnumerable<CalibrationBatch>>? BatchSource { get; init; }

    public Func<Tensor, Tensor>? Forward { get; init; }

    public ExpansionOptions Options { get; init; } = new();

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Cuts the work in a given way; null: as the memory budget demands.</summary>
    public MemorySchedule? Schedule { get; init; }

    /// <summary>Store of finished blocks; null: none.</summary>
    public IExpansionStore? Store { get; init; }

    /// <summary>True: blocks that the store holds are not expanded again.</summary>
    public bool Resume { get; init; }

    /// <summary>Kinds of routers that the store may hold.</summary>
    public RouterKinds RouterKinds { get; init; } = RouterKinds.Default;

    /// <summary>Inputs that later layers of a block are calibrated on.</summary>
    public BlockInputs WithinBlock =>
        Steps.Any(step => step.NeedsDenseInputs) ? BlockInputs.Expanded : Options.WithinBlock;

    /// <summary>True if blocks behind the last target are worked on, too.</summary>
    public bool NeedsAllBlocks => Steps.Any(step => step.NeedsAllBlocks);

    /// <summary>True if the model hands its blocks more than a hidden state.</summary>
    public bool BlocksTakeMore => Blocks.Any(block => block.OtherArguments > 0);

    /// <summary>Sets a step, in place of another of its kind.</summary>
    public ExpansionRequest With(IExpansionStep step) =>
        this with { Steps = ExpansionRecipe.InOrder([.. StepsBeside(step.GetType()), step]) };

    /// <summary>Leaves a step out.</summary>
    public ExpansionRequest Without(Type step) => this with { Steps = [.. StepsBeside(step)] };

    /// <exception cref="InvalidOperationException">Something is missing, or parts do not go together.</exception>
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

        if (BlocksTakeMore && Options.Memory is not null)
        {
            throw new InvalidOperationException(
                "What blocks take beside the hidden state, masks or positions, is kept in memory for all batches; "
                + "that does not go with a memory budget (WithMemory). Leave the budget out, or let each block make its mask itself.");
        }

        foreach (IExpansionStep step in Steps)
        {
            step.Validate(this);
        }
    }

    /// <summary>The path of a module in the model; null if it is no part of it.</summary>
    public string? PathOf(nn.Module module) =>
        Model.named_modules().FirstOrDefault(entry => ReferenceEquals(entry.module, module)).name;

    private IEnumerable<IExpansionStep> StepsBeside(Type step) => Steps.Where(other => other.GetType() != step);
}
