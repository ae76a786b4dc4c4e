using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning.Quantization;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.DenseQuantization;

/// <summary>Rounds dense weights, one input group after the other, so that each sees what the former have left.</summary>
/// <param name="run">The run.</param>
/// <param name="quantization">Bits and groups.</param>
/// <param name="passes">Parts of the model with their inputs: all runs together show the inputs of the weights.</param>
internal sealed class WeightRounder(
    ExpansionRun run, WeightQuantization quantization, IReadOnlyList<(RunnablePart Part, CalibrationBatch Batch)> passes)
{
    /// <summary>Groups of targets that are called with the same tensor, in the order of execution.</summary>
    public IReadOnlyList<InputGroup> FindGroups(IEnumerable<CalibrationTarget> targets)
    {
        var found = new List<InputGroup>();
        List<CalibrationTarget> waiting = [.. targets];
        foreach ((RunnablePart part, CalibrationBatch batch) in passes)
        {
            if (waiting.Count == 0)
            {
                break;
            }

            IReadOnlyList<InputGroup> groups = InputGroupFinder.FindReached(part, waiting, [batch], run.CancellationToken);
            found.AddRange(groups);
            waiting.RemoveAll(target => groups.Any(group => group.Layers.Contains(target)));
        }

        return found;
    }

    /// <summary>Rounds the weights of groups, by their inputs.</summary>
    public void Round(IEnumerable<InputGroup> groups, IReadOnlyList<DenseWeight> weights)
    {
        foreach (InputGroup group in groups)
        {
            DenseWeight[] members = [.. weights.Where(weight => group.Layers.Contains(weight.Target))];
            if (members.Length > 0)
            {
                using HessianStatistic statistic = Observe(group, members[0]);
                Array.ForEach(members, member => Round(member, statistic));
            }
        }
    }

    /// <summary>Rounds weights to the nearest values of their grids.</summary>
    public static void RoundToNearest(ExpansionRun run, WeightQuantization quantization, IEnumerable<DenseWeight> weights)
    {
        var rounder = new WeightRounder(run, quantization, []);
        foreach (DenseWeight weight in weights)
        {
            rounder.Round(weight, null);
        }
    }

    private HessianStatistic Observe(InputGroup group, DenseWeight member)
    {
        var statistic = new HessianStatistic(checked((int)member.Weight.shape[1]), member.Weight.device);
        try
        {
            foreach ((RunnablePart part, CalibrationBatch batch) in passes)
            {
                run.CancellationToken.ThrowIfCancellationRequested();
                using var store = new ActivationStore();
                ActivationCapture.CaptureBatch(part, group, batch, store);
                foreach (Tensor chunk in store.TokenCount == 0 ? [] : store.ReadChunks(run.Options.ChunkTokens, member.Weight.device))
                {
                    using Tensor owned = chunk;
                    statistic.Observe(owned);
                }
            }

            LayerErrors.Named(group.Name, "rounding", statistic.ThrowIfUnusable);
            return statistic;
        }
        catch
        {
            statistic.Dispose();
            throw;
        }
    }

    private void Round(DenseWeight weight, HessianStatistic? statistic)
    {
        run.CancellationToken.ThrowIfCancellationRequested();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor dense = weight.Weight.detach();
        if (!TensorChecks.AllFinite(dense))
        {
            throw new SparseExpansionException(
                $"The weight of '{weight.Name}' holds NaN or infinite values, which no code stands for; check the model, or leave the layer out of {nameof(DenseQuantizationOptions)}.{nameof(DenseQuantizationOptions.Layers)}.");
        }

        (Tensor rounded, QuantizationGrid grid) = statistic is null
            ? MaskedQuantizer.ToNearest(dense, quantization)
            : MaskedQuantizer.Quantize(dense, statistic.Hessian, quantization, run.CancellationToken);
        run.Changes.Round(new RoundedParameter(weight.Name, weight.Module, weight.Weight, rounded, grid)
        {
            OutputError = statistic?.RelativeOutputError(dense, rounded),
        });
    }
}
