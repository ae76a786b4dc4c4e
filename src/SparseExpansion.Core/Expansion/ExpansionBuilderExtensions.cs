using SparseExpansion.Calibration;
using SparseExpansion.Expansion;
using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>The entry of the fluent API, and shorter ways to say common things.</summary>
public static class ExpansionBuilderExtensions
{
    /// <summary>Begins the expansion of a model: its linears become mixtures of sparse experts, in place.</summary>
    /// <typeparam name="TModel">
    /// Any TorchSharp module; one that maps a tensor to a tensor needs no
    /// <see cref="ExpansionBuilder{TModel}.ForwardWith"/>.
    /// </typeparam>
    public static ExpansionBuilder<TModel> Expand<TModel>(this TModel model)
        where TModel : nn.Module => new(model);

    /// <summary>Sets the calibration inputs, without padding.</summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="inputs">
    /// Inputs of the model, batch by batch; kept alive, and disposed, by the caller, not before the run returns.
    /// </param>
    /// <exception cref="ArgumentException">There are no inputs.</exception>
    public static ExpansionBuilder<TModel> CalibrateOn<TModel>(
        this ExpansionBuilder<TModel> builder, IEnumerable<Tensor> inputs)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(inputs);
        return builder.CalibrateOn(inputs.Select(CalibrationBatch.FromTensor));
    }

    /// <summary>
    /// Sets calibration inputs without padding that are made when the work begins, and disposed when it ends:
    /// <c>CalibrateOn(() => tokens.split(64))</c>.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="makeInputs">
    /// Makes what the model is called with; called by each run and each
    /// <see cref="ExpansionBuilder{TModel}.PlanMemory"/>.
    /// </param>
    public static ExpansionBuilder<TModel> CalibrateOn<TModel>(
        this ExpansionBuilder<TModel> builder, Func<IEnumerable<Tensor>> makeInputs)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(makeInputs);
        return builder.CalibrateOn(() => makeInputs().Select(CalibrationBatch.FromTensor));
    }

    /// <summary>Expands the model in place, see <see cref="ExpansionBuilder{TModel}.Run"/>.</summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="progress">
    /// Called with every step, in order, on this thread: the work waits for it. <see cref="Progress{T}"/> would post to
    /// other threads.
    /// </param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The report, and the way back until the result is disposed.</returns>
    public static ExpansionResult Run<TModel>(
        this ExpansionBuilder<TModel> builder, Action<ExpansionProgress> progress,
        CancellationToken cancellationToken = default)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(progress);
        return builder.Run(new ActionProgress<ExpansionProgress>(progress), cancellationToken);
    }
}
