using Microsoft.Extensions.Logging;
using SparseExpansion.Calibration;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Collects what an expansion needs. Every call is checked at once; <see cref="Run"/> freezes the builder.</summary>
/// <typeparam name="TModel">The model's type.</typeparam>
public sealed class ExpansionBuilder<TModel>
    where TModel : nn.Module
{
    private ExpansionPlan _plan;
    private bool _frozen;

    internal ExpansionBuilder(TModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
        _plan = new ExpansionPlan(model) { Forward = model is nn.Module<Tensor, Tensor> module ? module.call : null };
    }

    /// <summary>The model that is expanded.</summary>
    public TModel Model { get; }

    /// <summary>
    /// Expands block by block: each block is calibrated on what the expanded blocks before it produce. Without this
    /// call the whole model is one block. Blocks map a hidden state to a hidden state of the same kind, and run in order.
    /// </summary>
    /// <param name="select">Blocks from a tensor, or with up to three tensors more such as masks, which are recorded from the model once and handed to the
    /// blocks again; to a tensor, or a tuple of which the first is the hidden state.</param>
    /// <exception cref="ArgumentException">There are no blocks, or one takes or gives something else.</exception>
    public ExpansionBuilder<TModel> Blocks(Func<TModel, IEnumerable<nn.Module>> select)
    {
        ArgumentNullException.ThrowIfNull(select);
        Block[] blocks = [.. select(Model).Select(Block.Of)];
        return blocks.Length > 0
            ? Set(plan => plan with { Blocks = blocks })
            : throw new ArgumentException("The selection holds no blocks.", nameof(select));
    }

    /// <summary>Chooses linears by module path. Without this call all linears are expanded; with <see cref="Blocks"/> all inside the blocks.</summary>
    /// <param name="patterns">Globs such as <c>*.mlp.*</c>: <c>*</c> stands for any characters, <c>?</c> for one. Each must match a linear.</param>
    public ExpansionBuilder<TModel> Targets(params string[] patterns)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        if (patterns.Length == 0 || patterns.Any(string.IsNullOrWhiteSpace))
        {
            throw new ArgumentException("Give at least one pattern, and none of them empty.", nameof(patterns));
        }

        return Set(plan => plan with { Targets = TargetFilter.FromGlobs(patterns) });
    }

    /// <summary>Chooses linears by a predicate over module path and layer.</summary>
    public ExpansionBuilder<TModel> Targets(Func<LayerDescriptor, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return Set(plan => plan with { Targets = new TargetFilter("the predicate", predicate) });
    }

    /// <summary>Sets router, pruner, sparsity and all that goes beyond them at once; later calls override parts of it.</summary>
    /// <param name="recipe"><see cref="ExpansionRecipe.Published"/>, <see cref="ExpansionRecipe.Best"/>, <see cref="ExpansionRecipe.Fast"/> or one of your own.</param>
    /// <param name="target">The sparsity.</param>
    /// <exception cref="ArgumentException">An option of the recipe is null or out of range.</exception>
    public ExpansionBuilder<TModel> WithRecipe(ExpansionRecipe recipe, SparsityTarget target)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(target);
        recipe.Validate();
        return Set(plan => plan with
        {
            Trainer = new PcaKMeansTrainer(recipe.Router),
            Sparsifier = recipe.Pruner,
            Target = target,
            Refinement = recipe.Refinement,
            Allocation = recipe.Allocation,
            Compensation = recipe.Compensation,
            FineTuning = recipe.FineTuning,
            Options = plan.Options with { ExpertStatistics = recipe.ExpertStatistics },
        });
    }

    /// <summary>Trains routers by PCA and k-means: the published method.</summary>
    public ExpansionBuilder<TModel> RouteWith(PcaKMeansOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return RouteWith(new PcaKMeansTrainer(options));
    }

    /// <summary>Trains routers in another way.</summary>
    public ExpansionBuilder<TModel> RouteWith(IRouterTrainer trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        return Set(plan => plan with { Trainer = trainer });
    }

    /// <summary>
    /// Lets routers learn from the errors of their experts: each group's router is fitted anew to which expert serves a token best, and kept
    /// where held-out tokens lose less by it. Off without this call, as in the paper. Takes 1 + rounds more prunings of every layer.
    /// </summary>
    /// <param name="options">Rounds and held-out share; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public ExpansionBuilder<TModel> RefineRouter(RouterRefinementOptions? options = null)
    {
        options ??= new RouterRefinementOptions();
        options.Validate();
        return Set(plan => plan with { Refinement = options });
    }

    /// <summary>
    /// Lets experts make up for what was lost before them: each is pruned from the weight that brings its inputs nearest to the outputs of the dense
    /// model. Off without this call, as in the paper. Layers of a block are then calibrated on its expanded layers, whatever
    /// <see cref="ExpansionOptions.WithinBlock"/> says; the dense model runs beside the expanded one.
    /// </summary>
    /// <param name="options">Damping; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public ExpansionBuilder<TModel> CompensateErrors(ErrorCompensationOptions? options = null)
    {
        options ??= new ErrorCompensationOptions();
        options.Validate();
        return Set(plan => plan with { Compensation = options });
    }

    /// <summary>
    /// Fits the kept weights of every block, when it is expanded, to the outputs of the dense block; masks and routers stay, and pruned
    /// weights stay exactly zero. Off without this call, as in the paper. The block after it is calibrated on what it then produces.
    /// </summary>
    /// <param name="options">Steps, learning rate, loss; null for the defaults.</param>
    /// <remarks>
    /// The expanded block gets what the expanded blocks before it produce; <see cref="FineTuningOptions.Target"/> says what the dense one gets. With
    /// <see cref="Blocks"/>, all targets must lie in blocks. Not for pruners that round weights, nor with <see cref="WithMemory"/>. Takes, for a block at a time, ten times
    /// the experts' memory on the device, and the block's inputs and outputs in host memory. Norms that are trained are put back by
    /// <see cref="ExpansionResult.Revert"/>.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public ExpansionBuilder<TModel> FineTune(FineTuningOptions? options = null)
    {
        options ??= new FineTuningOptions();
        options.Validate();
        return Set(plan => plan with { FineTuning = options });
    }

    /// <summary>Sets pruner and sparsity.</summary>
    public ExpansionBuilder<TModel> PruneWith(ISparsifier sparsifier, SparsityTarget target)
    {
        ArgumentNullException.ThrowIfNull(sparsifier);
        ArgumentNullException.ThrowIfNull(target);
        return Set(plan => plan with { Sparsifier = sparsifier, Target = target });
    }

    /// <summary>
    /// Divides the weights that may stay among the linears, by a pass over the dense model; needs an unstructured target. Without this call
    /// every linear gets the same sparsity, as in the paper.
    /// </summary>
    public ExpansionBuilder<TModel> Allocate(SparsityAllocation allocation)
    {
        ArgumentNullException.ThrowIfNull(allocation);
        return Set(plan => plan with { Allocation = allocation });
    }

    /// <summary>Sets the calibration inputs.</summary>
    /// <param name="batches">What the model is called with, and padding masks; kept alive by the caller until <see cref="Run"/> returns.</param>
    /// <exception cref="ArgumentException">There are no batches.</exception>
    public ExpansionBuilder<TModel> CalibrateOn(IEnumerable<CalibrationBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CalibrationBatch[] list = [.. batches];
        return list.Length > 0
            ? Set(plan => plan with { Batches = list, BatchSource = null })
            : throw new ArgumentException("There are no calibration batches.", nameof(batches));
    }

    /// <summary>Sets calibration inputs that are made when the work begins, and disposed with their masks when it ends: nobody has to keep them.</summary>
    /// <param name="makeBatches">Called by <see cref="Run"/> and by <see cref="PlanMemory"/>; makes new tensors each time.</param>
    public ExpansionBuilder<TModel> CalibrateOn(Func<IEnumerable<CalibrationBatch>> makeBatches)
    {
        ArgumentNullException.ThrowIfNull(makeBatches);
        return Set(plan => plan with { Batches = [], BatchSource = makeBatches });
    }

    /// <summary>Says how the model is called, where it is not a <c>Module&lt;Tensor, Tensor&gt;</c>.</summary>
    public ExpansionBuilder<TModel> ForwardWith(Func<TModel, Tensor, Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        return Set(plan => plan with { Forward = input => forward(Model, input) });
    }

    /// <summary>
    /// Sets all <see cref="ExpansionOptions"/> at once, also those that <see cref="WithSeed"/>, <see cref="WithMemory"/>, <see cref="WithExpertStatistics"/> or a recipe have set: call
    /// it before these.
    /// </summary>
    public ExpansionBuilder<TModel> WithOptions(ExpansionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Set(plan => plan with { Options = options });
    }

    /// <summary>Says what becomes of experts with few tokens: statistics that lean on their layer's, experts that are dissolved.</summary>
    /// <param name="options">Strength of the shrinkage, least tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public ExpansionBuilder<TModel> WithExpertStatistics(ExpertStatisticsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Set(plan => plan with { Options = plan.Options with { ExpertStatistics = options } });
    }

    /// <summary>Sets the seed of all randomness.</summary>
    public ExpansionBuilder<TModel> WithSeed(long seed) => Set(plan => plan with { Options = plan.Options with { Seed = seed } });

    /// <summary>Keeps every finished block, so that another run can <see cref="ResumeFrom"/> it.</summary>
    /// <param name="store">An empty store. It keeps the blocks after the run too; remove them when the model is saved.</param>
    /// <exception cref="InvalidOperationException">The expansion has another store already.</exception>
    public ExpansionBuilder<TModel> StoreIn(IExpansionStore store) => Keep(store, resume: false, routers: null);

    /// <summary>
    /// Goes on with the blocks that a store holds, and keeps every finished block there. Ends with the very bytes that an expansion in one go
    /// gives. Model, calibration data, options and seed must be those of the first run; an empty store begins anew. With <see cref="CompensateErrors"/> or
    /// <see cref="FineTune"/> the dense model runs over the finished blocks once more.
    /// </summary>
    /// <param name="store">What an earlier run was given.</param>
    /// <param name="routers">Kinds of routers that may be stored; null for those of this library.</param>
    /// <exception cref="InvalidOperationException">The expansion has another store already.</exception>
    public ExpansionBuilder<TModel> ResumeFrom(IExpansionStore store, RouterKinds? routers = null) => Keep(store, resume: true, routers);

    /// <summary>Logs to <paramref name="logger"/>.</summary>
    public ExpansionBuilder<TModel> LogTo(ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return Set(plan => plan with { Logger = logger });
    }

    /// <summary>Tells what <see cref="Run"/> will take in memory and time, with the budget of <see cref="ExpansionOptions.Memory"/>. Changes nothing.</summary>
    /// <exception cref="InvalidOperationException">Something was not set, or parts do not go together.</exception>
    /// <exception cref="SparseExpansionException">Model or data do not allow the expansion.</exception>
    public ExpansionMemoryPlan PlanMemory()
    {
        _plan.Validate();
        using OwnedBatches owned = OwnedBatches.Of(_plan);
        CalibrationGuard.CheckWindows(owned.Plan);
        return MemoryPlanner.Choose(owned.Plan).Plan;
    }

    /// <summary>Keeps to a budget of memory: activations go to disk and experts are pruned a few at a time where they would not fit.</summary>
    public ExpansionBuilder<TModel> WithMemory(MemoryBudget budget)
    {
        ArgumentNullException.ThrowIfNull(budget);
        budget.Validate();
        return Set(plan => plan with { Options = plan.Options with { Memory = budget } });
    }

    /// <summary>Expands the model in place.</summary>
    /// <param name="progress">Told of every step; called on this thread.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The report, and the way back until the result is disposed.</returns>
    /// <exception cref="InvalidOperationException">Something was not set, parts do not go together, or the builder has run before.</exception>
    /// <exception cref="SparseExpansionException">Model or data do not allow it. The model is left as it was.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The model is left as it was.</exception>
    public ExpansionResult Run(IProgress<ExpansionProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ThrowIfFrozen();
        _plan.Validate();
        using OwnedBatches owned = OwnedBatches.Of(_plan);
        _frozen = true;
        return new ExpansionPipeline(owned.Plan, progress, cancellationToken).Run();
    }

    /// <summary>Cuts the work in a given way, whatever the budget.</summary>
    internal ExpansionBuilder<TModel> WithSchedule(MemorySchedule schedule) => Set(plan => plan with { Memory = schedule });

    private ExpansionBuilder<TModel> Keep(IExpansionStore store, bool resume, RouterKinds? routers)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (_plan.Store is { } former && !ReferenceEquals(former, store))
        {
            throw new InvalidOperationException($"The expansion has a store already: call {nameof(StoreIn)} or {nameof(ResumeFrom)} once.");
        }

        return Set(plan => plan with { Store = store, Resume = resume, RouterKinds = routers ?? RouterKinds.Default });
    }

    private ExpansionBuilder<TModel> Set(Func<ExpansionPlan, ExpansionPlan> change)
    {
        ThrowIfFrozen();
        _plan = change(_plan);
        return this;
    }

    private void ThrowIfFrozen()
    {
        if (_frozen)
        {
            throw new InvalidOperationException("This expansion has run; begin another with model.Expand().");
        }
    }
}
