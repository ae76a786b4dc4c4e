using System.Diagnostics;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace TrainModel;

/// <summary>Trains a language model by next-token cross-entropy with AdamW.</summary>
internal sealed class Trainer(CausalLanguageModel model, Settings settings)
{
    private const int ReportEvery = 50;
    private const double WarmUp = 0.03;
    private const double FinalRate = 0.02;
    private const double LargestGradient = 1;

    /// <summary>Runs all steps.</summary>
    /// <param name="training">The training text's tokens.</param>
    /// <param name="validation">Tokens of the validation text.</param>
    /// <param name="checkpoint">Called now and then to save a checkpoint.</param>
    public void Run(TrainingWindows training, TrainingWindows validation, Action checkpoint)
    {
        using var optimizer = new AdamOptimizer(
            model.parameters(),
            new AdamOptions { LearningRate = settings.LearningRate, SecondDecay = 0.95, WeightDecay = 0.05 });
        using Tensor held = validation.Draw(batch: 32, settings.Context);
        model.train();
        var clock = Stopwatch.StartNew();
        double average = double.NaN;
        for (int step = 0; step < settings.Steps; step++)
        {
            SetRate(optimizer, (double)step / settings.Steps);
            double loss = Step(optimizer, training);
            average = double.IsNaN(average) ? loss : (0.95 * average) + (0.05 * loss);
            if ((step + 1) % ReportEvery == 0 || step + 1 == settings.Steps)
            {
                Console.WriteLine($"step {step + 1,5}  {clock.Elapsed:hh\\:mm\\:ss}  training loss {average:F3}  validation loss {Loss(held):F3}");
                checkpoint();
            }
        }

        model.eval();
    }

    private double Step(AdamOptimizer optimizer, TrainingWindows windows)
    {
        using var scope = NewDisposeScope();
        Tensor loss = CrossEntropy(windows.Draw(settings.BatchSize, settings.Context));
        optimizer.ZeroGradients();
        loss.backward();
        nn.utils.clip_grad_norm_(model.parameters(), LargestGradient);
        optimizer.Step();
        return loss.item<float>();
    }

    private double Loss(Tensor windows)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return CrossEntropy(windows).item<float>();
    }

    private Tensor CrossEntropy(Tensor windows)
    {
        long length = windows.shape[1] - 1;
        Tensor logits = model.call(windows.narrow(1, 0, length));
        return nn.functional.cross_entropy(logits.flatten(0, 1), windows.narrow(1, 1, length).flatten());
    }

    /// <summary>Linear warm-up, then half a cosine.</summary>
    private void SetRate(AdamOptimizer optimizer, double progress)
    {
        double share = progress < WarmUp
            ? progress / WarmUp
            : FinalRate + ((1 - FinalRate) * (1 + Math.Cos(Math.PI * (progress - WarmUp) / (1 - WarmUp))) / 2);
        optimizer.LearningRate = settings.LearningRate * share;
    }
}
