using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Capture;

/// <summary>
/// Records what linears of a model read while it runs, for analyzing their neurons. Linears that read the same tensor
/// form a group and are recorded once; one group at a time is recorded, so that memory holds the inputs of one.
/// </summary>
/// <remarks>
/// The model runs in evaluation mode without gradients, and every pass ends when the group has been reached. Hooks see
/// a layer only when its parent invokes it by <c>call(x)</c>. Not safe for concurrent use.
/// </remarks>
public sealed class ActivationRecorder
{
    private readonly nn.Module _model;
    private readonly RunnablePart _part;
    private readonly InputGroup[] _groups;

    private ActivationRecorder(nn.Module model, RunnablePart part, IEnumerable<InputGroup> groups) =>
        (_model, _part, _groups) = (model, part, [.. groups]);

    /// <summary>Module paths of the layers of every group, in the order in which the model calls them.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Groups =>
        [.. _groups.Select(group => group.Layers.Select(layer => layer.Name).ToArray())];

    /// <summary>Runs batches until every layer has been called, and groups the layers by their inputs.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Module paths as in <c>named_modules()</c>, at least
    /// one; each a module from tensor to tensor.</param>
    /// <param name="batches">Inputs of the model, for example token ids [batch, sequence].</param>
    /// <param name="cancellationToken">Observed between batches.</param>
    /// <exception cref="ArgumentException">No layer, or the model has none of that name.</exception>
    /// <exception cref="CalibrationException">A layer is never called.</exception>
    public static ActivationRecorder Create(
        nn.Module<Tensor, Tensor> model, IEnumerable<string> layers, IEnumerable<CalibrationBatch> batches,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batches);
        CalibrationTarget[] targets = FindTargets(model, layers);
        var part = RunnablePart.Of(
            "the model", model.call, model.parameters().Select(parameter => parameter.device).FirstOrDefault(CPU));
        using var modes = new EvaluationMode(model);
        return new ActivationRecorder(model, part, InputGroupFinder.Find(part, targets, batches, cancellationToken));
    }

    /// <summary>Runs the model over all batches and keeps what one group reads.</summary>
    /// <param name="group">Position in <see cref="Groups"/>.</param>
    /// <param name="batches">Inputs of the model; positions that a mask calls padding are left out.</param>
    /// <param name="cancellationToken">Observed between batches.</param>
    /// <returns>The tokens in the order of the batches; the caller disposes them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such group.</exception>
    /// <exception cref="CalibrationException">No token was seen, or values are not
    /// finite; the message names the layers.</exception>
    public ActivationStore Record(
        int group, IEnumerable<CalibrationBatch> batches, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(group);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(group, _groups.Length);
        ArgumentNullException.ThrowIfNull(batches);
        using var modes = new EvaluationMode(_model);
        return ActivationCapture.Capture(_part, _groups[group], batches, cancellationToken);
    }

    private static CalibrationTarget[] FindTargets(nn.Module model, IEnumerable<string> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        Dictionary<string, nn.Module> modules = model.named_modules()
            .ToDictionary(entry => entry.name, entry => entry.module);
        CalibrationTarget[] targets = [.. layers.Distinct().Select(name =>
            modules.GetValueOrDefault(name) is nn.Module<Tensor, Tensor> module
                ? new CalibrationTarget(name, module)
                : throw new ArgumentException(
                    $"The model has no layer '{name}' that maps a tensor to a tensor.", nameof(layers)))];
        return targets.Length > 0 ? targets : throw new ArgumentException("Name at least one layer.", nameof(layers));
    }
}
