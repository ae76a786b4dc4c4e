using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Internal;
using SparseExpansion.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Fits what is kept of a block's experts to the dense block, masks and routers fixed.</summary>
/// <param name="options">Loss, steps, learning rate.</param>
/// <param name="tail"> Part of the model after the block, where the loss is one of the model's outputs; null: the loss
/// is one of the block's.
/// </param>
/// <param name="seed">Order of the windows.</param>
/// <param name="progress">Told of the share of steps that are done.</param>
/// <param name="cancellationToken">Observed between steps.</param>
internal sealed class BlockFineTuner(
    FineTuningOptions options, ModelTail? tail, long seed, Action<double> progress, CancellationToken cancellationToken)
{
    /// <summary>Tunes a block whose mixtures are installed.</summary>
    /// <param name="block">The block.</param>
    /// <param name="index">Its index.</param>
    /// <param name="layers">Its mixtures.</param>
    /// <param name="norms">Parameters of the model to train besides them.</param>
    /// <param name="windows">Inputs of the block and the outputs it should give.</param>
    public BlockFineTuning Tune(RunnablePart block, int index, SparseMixtureLayer[] layers, IReadOnlyList<Parameter> norms, TuningWindows windows)
    {
        bool[] needed = [.. norms.Select(norm => norm.requires_grad)];
        BlockFineTuning report;
        try
        {
            using var scope = NewDisposeScope();
            Parameter[] trained = [.. layers.SelectMany(layer => layer.Unfreeze()), .. norms];
            Array.ForEach(trained, parameter => parameter.requires_grad_(true));
            report = Train(block, index, windows, new TunedParameters(trained));
            CheckMasks(layers);
        }
        finally
        {
            Array.ForEach(layers, layer => layer.Freeze());
            for (int i = 0; i < needed.Length; i++)
            {
                norms[i].requires_grad_(needed[i]);
            }
        }

        return report;
    }

    private BlockFineTuning Train(RunnablePart block, int index, TuningWindows windows, TunedParameters parameters)
    {
        int heldOut = HeldOutWindows.Count(windows.Count, options.HoldOut);
        int fitted = windows.Count - heldOut;
        Random random = SeededRandom.Create(seed);
        tail?.Shorten(windows, options.BatchWindows, cancellationToken);
        double Validate() => Evaluate(block, windows, fitted, heldOut);
        double before = Validate();
        if (!double.IsFinite(before))
        {
            throw new SparseExpansionException(
                $"The loss '{options.Loss}' is {before} on held-out windows before the first step.");
        }

        var report = new BlockFineTuning(index, 0, 0, before, before) { Loss = $"{options.Loss}" };
        using IEnumerator<int[]> batches = Epochs(windows, fitted, random).GetEnumerator();
        int waited = 0;
        while (report.Steps < options.Steps && waited < options.Patience && fitted > 0 && batches.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress((double)report.Steps / options.Steps);
            Step(block, windows, batches.Current, parameters, LearningRateAt(report.Steps));
            report = report with { Steps = report.Steps + 1 };
            if (report.Steps % options.CheckInterval != 0 && report.Steps < options.Steps)
            {
                continue;
            }

            double loss = Validate();
            waited = loss < report.LossAfter ? 0 : double.IsFinite(loss) ? waited + 1 : options.Patience;
            if (waited == 0)
            {
                parameters.Keep();
                report = report with { KeptStep = report.Steps, LossAfter = loss };
            }
        }

        parameters.Restore();
        return report;
    }

    private IEnumerable<int[]> Epochs(TuningWindows windows, int fitted, Random random)
    {
        while (true)
        {
            foreach (int[] batch in windows.Shuffle(0, fitted, options.BatchWindows, random))
            {
                yield return batch;
            }
        }
    }

    private void Step(
        RunnablePart block, TuningWindows windows, int[] batch, TunedParameters parameters, double learningRate)
    {
        using var grad = enable_grad();
        using var scope = NewDisposeScope();
        parameters.Step(Loss(block, windows.Read(batch)), learningRate);
    }

    private double Evaluate(RunnablePart block, TuningWindows windows, int first, int count)
    {
        using var noGrad = no_grad();
        double sum = 0;
        foreach (int[] batch in windows.InOrder(first, count, options.BatchWindows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            sum += batch.Length * Loss(block, windows.Read(batch)).to(ScalarType.Float64).item<double>();
        }

        return sum / count;
    }

    private Tensor Loss(RunnablePart block, TuningBatch batch)
    {
        Tensor outputs = block.Forward(new CalibrationBatch(batch.Input) { Arguments = batch.Arguments }), target = batch.Target;
        if (is_grad_enabled() && !outputs.requires_grad)
        {
            throw new SparseExpansionException(
                $"Its output does not depend on its expanded layers in a way that can be differentiated.");
        }

        if (tail is not null)
        {
            outputs = tail.Run(batch.ModelInput!, outputs);
            using var noGrad = no_grad();
            target = tail.Run(batch.ModelInput!, target);
        }

        Tensor loss = Compute(batch.Select(outputs), batch.Select(target));
        return loss.numel() == 1 && (loss.requires_grad || !is_grad_enabled())
            ? loss.squeeze()
            : throw new SparseExpansionException(
                $"The loss '{options.Loss}' must be a scalar that can be differentiated; it is [{string.Join(", ", loss.shape)}]"
                + $"{(loss.requires_grad || !is_grad_enabled() ? "" : " without gradient")}.");
    }

    private Tensor Compute(Tensor outputs, Tensor target)
    {
        try
        {
            return options.Loss.Compute(outputs, target) ?? throw new SparseExpansionException(
                $"The loss '{options.Loss}' is null in place of a tensor.");
        }
        catch (Exception e) when (e is not (SparseExpansionException or OperationCanceledException))
        {
            throw new SparseExpansionException($"The loss '{options.Loss}' failed: {PlainMessage.Clause(e)}", e);
        }
    }

    /// <summary>Half a cosine from the learning rate to 0.</summary>
    private double LearningRateAt(int step) =>
        options.LearningRate * 0.5 * (1 + Math.Cos(Math.PI * step / options.Steps));

    /// <summary>
    /// Looks before <see cref="SparseMixtureLayer.Freeze"/>, which would hide what training did to pruned weights.
    /// </summary>
    private static void CheckMasks(SparseMixtureLayer[] layers)
    {
        if (layers.FirstOrDefault(layer => ((MaskedDenseExperts)layer.Experts).CountStray() > 0) is { } stray)
        {
            throw new SparseExpansionException($"Fine-tuning of layer '{stray.Name}' brought pruned weights back; this is a defect of SparseExpansion.");
        }
    }
}
