using Microsoft.Extensions.Logging;
using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>
/// Collects what an expansion needs. Every call is checked at once; <see cref="Run"/> freezes the builder.
/// </summary>
/// <typeparam name="TModel">The model's type.</typeparam>
public sealed class ExpansionBuilder<TModel>
    where TModel : nn.Module
{
    private ExpansionRequest _request;
    private bool _frozen;

    internal ExpansionBuilder(TModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
        _request = new ExpansionRequest(model) { Forward = model is nn.Module<Tensor, Tensor> module ? module.call : null };
    }

    /// <summary>The model that is expanded.</summary>
    public TModel Model { get; }

    /// <summary>
    /// Expands block by block: each block is calibrated on what the expanded blocks before it produce. Without this
    /// call the whole model is one block. Blocks map a hidden state to a hidden state of the same kind, and run in
    /// order.
    /// </summary>
    /// <param name="select">Blocks from a tensor, or with up to three tensors more such as masks, which are recorded
    /// from the model once and handed to the blocks again; to a tensor, or a tuple of which the first is the hidden
    /// state.</param>
    /// <exception cref="ArgumentException">There are no blocks, or one takes or gives something else.</exception>
    public ExpansionBuilder<TModel> Blocks(Func<TModel, IEnumerable<nn.Module>> select)
    {
        ArgumentNullException.ThrowIfNull(select);
        Block[] blocks = [.. select(Model).Select(Block.Of)];
        return blocks.Length > 0
            ? Set(request => request with { Blocks = blocks })
            : throw new ArgumentException("The selection holds no blocks.", nameof(select));
    }

    /// <summary>
    /// Chooses linears by module path. Without this call all linears are expanded; with <see cref="Blocks"/> all inside
    /// the blocks.
    /// </summary>
    /// <param name="patterns"> Globs such as <c>*.mlp.*</c>: <c>*</c> stands for any characters, <c>?</c> for one. Each
    /// must match a linear.
    /// </param>
    public ExpansionBuilder<TModel> Targets(params string[] patterns)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        if (patterns.Length == 0 || patterns.Any(string.IsNullOrWhiteSpace))
        {
            throw new ArgumentException("Give at least one pattern, and none of them empty.", nameof(patterns));
        }

        return Set(request => request with { Targets = TargetFilter.FromGlobs(patterns) });
    }

    /// <summary>Chooses linears by a predicate over module path and layer.</summary>
    public ExpansionBuilder<TModel> Targets(Func<LayerDescriptor, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return Set(request => request with { Targets = new TargetFilter("the predicate", predicate) });
    }

    /// <summary>
    /// Sets router, pruner, sparsity and all that goes beyond them at once; later calls override parts of it.
    /// </summary>
    /// <param name="recipe"> <see cref="ExpansionRecipe.Published"/>, <see cref="ExpansionRecipe.Best"/>,
    /// <see cref="ExpansionRecipe.Fast"/> or one of your own.
    /// </param>
    /// <param name="target">The sparsity.</param>
    /// <exception cref="ArgumentException">An option of the recipe is null or out of range.</exception>
    public ExpansionBuilder<TModel> WithRecipe(ExpansionRecipe recipe, SparsityTarget target)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(target);
        recipe.Validate();
        return Set(request => request with
        {
            Trainer = recipe.Router,
            Sparsifier = recipe.Pruner,
            Target = target,
            Steps = recipe.Steps,
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
        return Set(request => request with { Trainer = trainer });
    }

    /// <summary>Sets pruner and sparsity.</summary>
    public ExpansionBuilder<TModel> PruneWith(ISparsifier sparsifier, SparsityTarget target)
    {
        ArgumentNullException.ThrowIfNull(sparsifier);
        ArgumentNullException.ThrowIfNull(target);
        return Set(request => request with { Sparsifier = sparsifier, Target = target });
    }

    /// <summary>Sets the calibration inputs.</summary>
    /// <param name="batches"> Inputs of the model, and padding masks; kept alive by the caller until <see cref="Run"/>
    /// returns.
    /// </param>
    /// <exception cref="ArgumentException">There are no batches.</exception>
    public ExpansionBuilder<TModel> CalibrateOn(IEnumerable<CalibrationBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CalibrationBatch[] list = [.. batches];
        return list.Length > 0
            ? Set(request => request with { Batches = list, BatchSource = null })
            : throw new ArgumentException("There are no calibration batches.", nameof(batches));
    }

    /// <summary>
    /// Sets calibration inputs that are made when the work begins, and disposed with their masks when it ends: nobody
    /// has to keep them.
    /// </summary>
    /// <param name="makeBatches"> Called by <see cref="Run"/> and by <see cref="PlanMemory"/>; makes new tensors each
    /// time.
    /// </param>
    public ExpansionBuilder<TModel> CalibrateOn(Func<IEnumerable<CalibrationBatch>> makeBatches)
    {
        ArgumentNullException.ThrowIfNull(makeBatches);
        return Set(request => request with { Batches = [], BatchSource = makeBatches });
    }

    /// <summary>Says how the model is called, where it is not a <c>Module&lt;Tensor, Tensor&gt;</c>.</summary>
    public ExpansionBuilder<TModel> ForwardWith(Func<TModel, Tensor, Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        return Set(request => request with { Forward = input => forward(Model, input) });
    }

    /// <summary>
    /// Sets all <see cref="ExpansionOptions"/> at once, also those that <see cref="WithSeed"/> and
    /// <see cref="WithMemory"/> have set: call it before these.
    /// </summary>
    public ExpansionBuilder<TModel> WithOptions(ExpansionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Set(request => request with { Options = options });
    }

    /// <summary>Sets the seed of all randomness.</summary>
    public ExpansionBuilder<TModel> WithSeed(long seed) =>
        Set(request => request with { Options = request.Options with { Seed = seed } });

    /// <summary>Keeps every finished block, so that another run can <see cref="ResumeFrom"/> it.</summary>
    /// <param name="store"> An empty store. It keeps the blocks after the run too; remove them when the model is saved.
    /// </param>
    /// <exception cref="InvalidOperationException">The expansion has another store already.</exception>
    public ExpansionBuilder<TModel> StoreIn(IExpansionStore store) => Keep(store, resume: false, routers: null);

    /// <summary>
    /// Goes on with the blocks that a store holds, and keeps every finished block there. Ends with the very bytes that
    /// an expansion in one go gives. Model, calibration data, options and seed must be those of the first run; an empty
    /// store begins anew. Where experts are fitted to the outputs of the dense model, that runs over the finished
    /// blocks once more.
    /// </summary>
    /// <param name="store">The store that an earlier run was given.</param>
    /// <param name="routers">Kinds of routers that may be stored; null for those of this library.</param>
    /// <exception cref="InvalidOperationException">The expansion has another store already.</exception>
    public ExpansionBuilder<TModel> ResumeFrom(IExpansionStore store, RouterKinds? routers = null) =>
        Keep(store, resume: true, routers);

    /// <summary>Logs to <paramref name="logger"/>.</summary>
    public ExpansionBuilder<TModel> LogTo(ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return Set(request => request with { Logger = logger });
    }

    /// <summary>
    /// Tells what <see cref="Run"/> will take in memory and time, with the budget of
    /// <see cref="ExpansionOptions.Memory"/>. Changes nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">Something was not set, or parts do not go together.</exception>
    /// <exception cref="SparseExpansionException">Model or data do not allow the expansion.</exception>
    public ExpansionMemoryPlan PlanMemory()
    {
        _request.Validate();
        using OwnedBatches owned = OwnedBatches.Of(_request);
        return WorkPlan.Choose(_request, owned.Batches);
    }

    /// <summary>
    /// Keeps to a budget of memory: activations go to disk and experts are pruned a few at a time where they would not
    /// fit.
    /// </summary>
    public ExpansionBuilder<TModel> WithMemory(MemoryBudget budget)
    {
        ArgumentNullException.ThrowIfNull(budget);
        budget.Validate();
        return Set(request => request with { Options = request.Options with { Memory = budget } });
    }

    /// <summary>Expands the model in place.</summary>
    /// <param name="progress">Told of every step; called on this thread.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The report, and the way back until the result is disposed.</returns>
    /// <exception cref="InvalidOperationException"> Something was not set, parts do not go together, or the builder has
    /// run before.
    /// </exception>
    /// <exception cref="SparseExpansionException"> Model or data do not allow it. The model is left as it was.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was canceled. The model is left as it was.</exception>
    public ExpansionResult Run(
        IProgress<ExpansionProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ThrowIfFrozen();
        _request.Validate();
        using OwnedBatches owned = OwnedBatches.Of(_request);
        _frozen = true;
        return new ExpansionPipeline(_request, owned.Batches, progress, cancellationToken).Run();
    }

    /// <summary>Cuts the work in a given way, whatever the budget.</summary>
    internal ExpansionBuilder<TModel> WithSchedule(MemorySchedule schedule) =>
        Set(request => request with { Schedule = schedule });

    private ExpansionBuilder<TModel> Keep(IExpansionStore store, bool resume, RouterKinds? routers)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (_request.Store is { } former && !ReferenceEquals(former, store))
        {
            throw new InvalidOperationException(
                $"The expansion has a store already: call {nameof(StoreIn)} or {nameof(ResumeFrom)} once.");
        }

        return Set(
            request => request with { Store = store, Resume = resume, RouterKinds = routers ?? RouterKinds.Default });
    }

    /// <summary>Sets a part of the expansion beyond routing and pruning, in place of another of its kind.</summary>
    internal ExpansionBuilder<TModel> With(IExpansionStep step) => Set(request => request.With(step));

    /// <summary>Leaves such a part out.</summary>
    internal ExpansionBuilder<TModel> Without<TStep>()
        where TStep : IExpansionStep => Set(request => request.Without(typeof(TStep)));

    private ExpansionBuilder<TModel> Set(Func<ExpansionRequest, ExpansionRequest> change)
    {
        ThrowIfFrozen();
        _request = change(_request);
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
