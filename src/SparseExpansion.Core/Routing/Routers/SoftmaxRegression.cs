using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

/// <summary>
/// Fits a linear router to what every token costs at every expert: multinomial logistic regression on the cheapest
/// expert, each token weighted by how much the choice matters for it. Convex; Adam on mini-batches of standardized
/// tokens.
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
        Tensor scale = where(
            deviation > Scalars.Of(1e-6) * deviation.max(), Scalars.Of(1) / deviation, zeros_like(deviation));
        Tensor regrets = costs - costs.amin([1]).unsqueeze(1);
        Tensor weights = regrets.mean([1L]);
        // By columns: one sum of everything would round by the number of threads.
        weights.div_(regrets.mean([0L]).mean().clamp_min(Scalars.Of(float.Epsilon)));
        (Tensor weight, Tensor bias) = Minimize(
            tokens, (mean, scale), (costs.argmin(1), weights), (int)costs.shape[1], epochs, weightDecay, seed,
            cancellationToken);
        Tensor folded = weight * scale;
        return new LinearRouter(folded, bias - folded.mv(mean));
    }

    /// <summary>Mean and standard deviation of every feature; frees temporaries as large as the tokens.</summary>
    private static (Tensor Mean, Tensor Deviation) Moments(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        Tensor mean = tokens.mean([0L]);
        Tensor deviation = (tokens - mean).Squared().mean([0L]).sqrt_();
        return (mean.MoveToOuterDisposeScope(), deviation.MoveToOuterDisposeScope());
    }

    private static (Tensor Weight, Tensor Bias) Minimize(
        Tensor tokens, (Tensor Mean, Tensor Scale) standard, (Tensor Cheapest, Tensor Weights) choice, int experts,
        int epochs, double weightDecay, long seed, CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        Device device = tokens.device;
        Tensor weight = zeros(experts, tokens.shape[1], ScalarType.Float32, device),
            bias = zeros(experts, ScalarType.Float32, device);
        using var generator = new Generator(unchecked((ulong)seed));
        long count = tokens.shape[0], size = Math.Clamp(count / BatchesOfAPass, LeastBatchTokens, MostBatchTokens),
            batches = (count + size - 1) / size;
        var adam = new AdamSteps([weight, bias], new AdamOptions());
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var epochScope = NewDisposeScope();
            Tensor order = randperm(count, ScalarType.Int64, generator: generator).to(device);
            for (long b = 0; b < batches; b++)
            {
                using var batchScope = NewDisposeScope();
                Tensor chosen = order.narrow(0, b * size, Math.Min(size, count - (b * size)));
                Tensor batch = tokens.index_select(0, chosen).sub_(standard.Mean).mul_(standard.Scale);
                (Tensor ofWeight, Tensor ofBias) = Gradients(
                    weight, bias, batch, choice.Cheapest.index_select(0, chosen),
                    choice.Weights.index_select(0, chosen), weightDecay);
                double progress = (epoch + ((double)b / batches)) / epochs;
                adam.Apply([ofWeight, ofBias], LearningRate * 0.5 * (1 + Math.Cos(Math.PI * progress)));
            }
        }

        return (weight, bias);
    }

    /// <summary>
    /// Of mean_t w_t · (−log softmax(Wx_t + b) at the cheapest expert) + decay · ‖W‖²: every token adds w_t · (softmax
    /// − one-hot) x_tᵀ / n.
    /// </summary>
    /// <param name="weight">W, [k, d].</param>
    /// <param name="bias">b, [k].</param>
    /// <param name="tokens">x, [n, d], standardized.</param>
    /// <param name="cheapest">The expert that costs least, int64 [n].</param>
    /// <param name="weights">w: mean cost over the experts beyond the least, [n].</param>
    /// <param name="weightDecay">Factor of the squared weights.</param>
    internal static (Tensor OfWeight, Tensor OfBias) Gradients(
        Tensor weight, Tensor bias, Tensor tokens, Tensor cheapest, Tensor weights, double weightDecay)
    {
        Tensor shares = (weights / Scalars.Of(tokens.shape[0])).unsqueeze_(1);
        Tensor slopes = nn.functional.softmax(nn.functional.linear(tokens, weight, bias), 1).mul_(shares);
        slopes.scatter_add_(1, cheapest.unsqueeze(1), -shares);
        return (addmm(weight, slopes.t(), tokens, (float)(2 * weightDecay), 1), slopes.sum([0L]));
    }
}
