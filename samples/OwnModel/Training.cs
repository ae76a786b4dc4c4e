using static TorchSharp.torch;

namespace OwnModel;

/// <summary>Trains and measures autoencoders.</summary>
internal static class Training
{
    /// <summary>Trains with Adam, the learning rate falling in a straight line.</summary>
    public static void Run(Autoencoder model, Signals signals, int steps, double learningRate = 3e-3)
    {
        using var optimizer = optim.Adam(model.parameters(), learningRate);
        Run(model, optimizer, signals, steps);
    }

    /// <summary>Trains what an optimizer was given, its learning rate falling in a straight line.</summary>
    public static void Run(Autoencoder model, optim.Optimizer optimizer, Signals signals, int steps)
    {
        double learningRate = optimizer.ParamGroups.Single().LearningRate;
        for (int step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.ParamGroups.Single().LearningRate = learningRate * (1 - ((double)step / steps));
            Tensor batch = signals.Draw(128);
            Tensor loss = nn.functional.mse_loss(model.call(batch), batch);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        }

        model.eval();
    }

    /// <summary>Share of the signals' variance that is lost: ‖x − model(x)‖² / ‖x − mean x‖².</summary>
    public static double LostVariance(Autoencoder model, Tensor signals)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor lost = (signals - model.call(signals)).square().sum();
        Tensor all = (signals - signals.mean([0], keepdim: true)).square().sum();
        return (lost / all).item<float>();
    }
}
