using SparseExpansion.Routing.Experts;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.MeanCorrection;

/// <summary>The mean token of each expert.</summary>
internal sealed class ExpertMeans : IDisposable
{
    private ExpertMeans(Tensor values) => Values = values;

    /// <summary>[experts, features], float32; zeros for experts with too few tokens.</summary>
    public Tensor Values { get; }

    /// <summary>Sums up the tokens, in float64.</summary>
    /// <param name="tokens">The tokens by expert.</param>
    /// <param name="features">Width of a token.</param>
    /// <param name="minimum">Fewest tokens of a mean.</param>
    /// <param name="device">Device of the means.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    public static ExpertMeans Of(
        ExpertTokens tokens, int features, long minimum, Device device, CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor sums = zeros(tokens.ExpertCount, features, ScalarType.Float64, device);
        tokens.Visit((expert, share) =>
        {
            using var inner = NewDisposeScope();
            sums.select(0, expert).PlusInPlace(share.sum([0L], type: ScalarType.Float64));
        }, cancellationToken);
        double[] weights = [.. Enumerable.Range(0, tokens.ExpertCount).Select(tokens.Count).Select(count => count >= minimum ? 1.0 / count : 0)];
        return new ExpertMeans(
            (sums * tensor(weights, device: device).unsqueeze(1)).to(ScalarType.Float32).DetachFromDisposeScope());
    }

    public void Dispose() => Values.Dispose();
}
