using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>
/// Fits a linear router to what every token costs at every expert: multinomial logistic regression on the cheapest expert, each token
/// weighted by how much the choice matters for it. Convex; Adam on mini-batches of standardised tokens.
/// </summary>
internal static class SoftmaxRegression
{
    private const int MostBatchTokens = 1_024;
    private const int LeastBatchTokens = 64;

    /// <summary>Batches of one pass, where there are tokens enough for it.</summary>
    private const int BatchesOfAPass = 32;
    private const double LearningRate = 0.02;

    /// <summary>Fits the router.</summary>
    /// <param name="tokens">[n, d], float32, finite.</param>
    /// <param name="costs">[n, k], float32, finite; only differences between the experts of a token matter.</param>
    /// <param name="epochs">Passes over the tokens, at least 1.</param>
    /// <param name="weightDecay">Factor of the squared weights.</param>
    /// <param name="seed">Seed of the order of the tokens.</param>
    /// <param name="cancellationToken">Observed between passes.</param>
    /// <returns>The router on the device of the tokens; the caller disposes it.</returns>
    public static LinearRouter Fit(
        Tensor tokens, Tensor costs, int epochs, double weightDecay, long seed, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        (Tensor mean, Tensor deviation) = Moments(tokens);
        Tensor scale = where(deviation > 1e-6 * deviation.max(), 1 / deviation, 0);
        Tensor regrets = costs - costs.amin([1]).unsqueeze(1);
        Tensor scaled = regrets / regrets.mean().clamp_min(float.Epsilon);
        (Tensor weight, Tensor bias) = Minimise(tokens, (mean, scale), scaled, epochs, weightDecay, seed, cancellationToken);
        Tensor folded = weight * scale;
        return new LinearRouter(folded, bias - folded.mv(mean));
    }

    /// <summary>Mean and standard deviation of every feature; frees what is as large as the tokens.</summary>
    private static (Tensor Mean, Tensor Deviation) Moments(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        Tensor mean = tokens.mean([0L]);
        Tensor deviation = (tokens - mean).square().mean([0L]).sqrt_();
        return (mean.MoveToOuterDisposeScope(), deviation.MoveToOuterDisposeScope());
    }

    private static (Tensor Weight, Tensor Bias) Minimise(
        Tensor tokens, (Tensor Mean, Tensor Scale) standard, Tensor regrets, int epochs, double weightDecay, long seed, CancellationToken cancellationToken)
    {
        using var grad = enable_grad(); // Whoever calls may have switched gradients off.
        Device device = tokens.device;
        Tensor weight = zeros(regrets.shape[1], tokens.shape[1], ScalarType.Float32, device, requires_grad: true);
        Tensor bias = zeros(regrets.shape[1], ScalarType.Float32, device, requires_grad: true);
        using var generator = new Generator(unchecked((ulong)seed));
        long count = tokens.shape[0], size = Math.Clamp(count / BatchesOfAPass, LeastBatchTokens, MostBatchTokens), batches = (count + size - 1) / size;
        var adam = new AdamSteps([weight, bias]);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var epochScope = NewDisposeScope();
            Tensor order = randperm(count, ScalarType.Int64, generator: generator).to(device);
            for (long b = 0; b < batches; b++)
            {
                using var batchScope = NewDisposeScope();
                Tensor chosen = order.narrow(0, b * size, Math.Min(size, count - (b * size)));
                Tensor batch = (tokens.index_select(0, chosen) - standard.Mean).mul_(standard.Scale);
                double progress = (epoch + ((double)b / batches)) / epochs;
                Tensor loss = Loss(nn.functional.linear(batch, weight, bias), regrets.index_select(0, chosen))
                    + (weightDecay * weight.square().sum());
                adam.Step(loss, LearningRate * 0.5 * (1 + Math.Cos(Math.PI * progress)));
            }
        }

        return (weight.detach(), bias.detach());
    }

    /// <summary>Cross-entropy to the cheapest expert, weighted by the mean cost over the experts beyond the least.</summary>
    private static Tensor Loss(Tensor scores, Tensor regrets)
    {
        Tensor entropy = nn.functional.cross_entropy(scores, regrets.argmin(1), reduction: nn.Reduction.None);
        return (entropy * regrets.mean([1L])).mean();
    }
}
