using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace OwnModel;

/// <summary>Trains and measures autoencoders.</summary>
internal static class Training
{
    /// <summary>Trains with Adam and a linearly decreasing learning rate.</summary>
    public static void Run(Autoencoder model, Signals signals, int steps, double learningRate = 3e-3)
    {
        using var optimizer = new AdamOptimizer(model.parameters(), new AdamOptions { LearningRate = learningRate });
        Run(model, optimizer, signals, steps);
    }

    /// <summary>Trains an optimizer's parameters with a linearly decreasing learning rate.</summary>
    public static void Run(Autoencoder model, AdamOptimizer optimizer, Signals signals, int steps)
    {
        double learningRate = optimizer.LearningRate;
        for (int step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.LearningRate = learningRate * (1 - ((double)step / steps));
            Tensor batch = signals.Draw(128);
            Tensor loss = nn.functional.mse_loss(model.call(batch), batch);
            optimizer.ZeroGradients();
            loss.backward();
            optimizer.Step();
        }

        model.eval();
    }

    /// <summary>Fraction of the signals' variance that is lost: ‖x − model(x)‖² / ‖x − mean x‖².</summary>
    public static double LostVariance(Autoencoder model, Tensor signals)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor lost = (signals - model.call(signals)).Squared().sum();
        Tensor all = (signals - signals.mean([0], keepdim: true)).Squared().sum();
        return (lost / all).item<float>();
    }
}
