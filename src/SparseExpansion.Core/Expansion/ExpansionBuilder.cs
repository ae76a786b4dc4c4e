using System.Runtime.CompilerServices;
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
    private readonly TModel _model;
    private ExpansionPlan _plan;
    private bool _frozen;

    internal ExpansionBuilder(TModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _plan = new ExpansionPlan(model) { Forward = model is nn.Module<Tensor, Tensor> module ? module.call : null };
    }

    /// <summary>
    /// Expands block by block: each block is calibrated on what the expanded blocks before it produce. Without this
    /// call the whole model is one block. Blocks map a hidden state to a hidden state of the same kind, and run in order.
    /// </summary>
    /// <exception cref="ArgumentException">There are no blocks.</exception>
    public ExpansionBuilder<TModel> Blocks(Func<TModel, IEnumerable<nn.Module<Tensor, Tensor>>> select)
    {
        ArgumentNullException.ThrowIfNull(select);
        nn.Module<Tensor, Tensor>[] blocks = [.. select(_model)];
        return blocks.Length > 0
            ? Set(plan => plan with { Blocks = blocks })
            : throw new ArgumentException("The selection holds no blocks.", nameof(select));
    }

    /// <summary>Chooses linears by module path. Without this call all linears are expanded.</summary>
    /// <param name="patterns">Globs such as <c>*.mlp.*</c>: <c>*</c> stands for any characters, <c>?</c> for one.</param>
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

    /// <summary>Sets pruner and sparsity.</summary>
    public ExpansionBuilder<TModel> PruneWith(ISparsifier sparsifier, SparsityTarget target)
    {
        ArgumentNullException.ThrowIfNull(sparsifier);
        ArgumentNullException.ThrowIfNull(target);
        return Set(plan => plan with { Sparsifier = sparsifier, Target = target });
    }

    /// <summary>Sets the calibration inputs, without padding.</summary>
    /// <param name="inputs">What the model is called with, batch by batch; kept alive by the caller until <see cref="Run"/> returns.</param>
    [OverloadResolutionPriority(1)]
    public ExpansionBuilder<TModel> CalibrateOn(IEnumerable<Tensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return CalibrateOn(inputs.Select(CalibrationBatch.FromTensor));
    }

    /// <summary>Sets the calibration inputs.</summary>
    /// <param name="batches">What the model is called with, and padding masks; kept alive by the caller until <see cref="Run"/> returns.</param>
    /// <exception cref="ArgumentException">There are no batches.</exception>
    public ExpansionBuilder<TModel> CalibrateOn(IEnumerable<CalibrationBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CalibrationBatch[] list = [.. batches];
        return list.Length > 0
            ? Set(plan => plan with { Batches = list })
            : throw new ArgumentException("There are no calibration batches.", nameof(batches));
    }

    /// <summary>Says how the model is called, where it is not a <c>Module&lt;Tensor, Tensor&gt;</c>.</summary>
    public ExpansionBuilder<TModel> ForwardWith(Func<TModel, Tensor, Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        return Set(plan => plan with { Forward = input => forward(_model, input) });
    }

    /// <summary>Sets the remaining options.</summary>
    public ExpansionBuilder<TModel> WithOptions(ExpansionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Set(plan => plan with { Options = options });
    }

    /// <summary>Sets the seed of all randomness.</summary>
    public ExpansionBuilder<TModel> WithSeed(long seed) => Set(plan => plan with { Options = plan.Options with { Seed = seed } });

    /// <summary>Logs to <paramref name="logger"/>.</summary>
    public ExpansionBuilder<TModel> LogTo(ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return Set(plan => plan with { Logger = logger });
    }

    /// <summary>Expands the model in place.</summary>
    /// <param name="progress">Told of every step; called on this thread.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The report, and the way back until the result is disposed.</returns>
    /// <exception cref="InvalidOperationException">Something was not set, or the builder has run before.</exception>
    /// <exception cref="SparseExpansionException">Model or data do not allow it. The model is left as it was.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The model is left as it was.</exception>
    public ExpansionResult Run(IProgress<ExpansionProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ThrowIfFrozen();
        _plan.Validate();
        _frozen = true;
        return new ExpansionPipeline(_plan, progress, cancellationToken).Run();
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
