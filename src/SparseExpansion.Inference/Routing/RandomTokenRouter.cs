namespace SparseExpansion.Inference.Routing;

/// <summary>
/// ⌊k · frac(4096 · ⟨x, r⟩ / ‖x‖)⌋ with a random direction r, in float64: as good as random, and the same for the same
/// token. A zero token goes to expert 0.
/// </summary>
/// <param name="projection">r.</param>
/// <param name="expertCount">k.</param>
internal sealed unsafe class RandomTokenRouter(float[] projection, int expertCount)
    : TokenRouter(projection.Length, expertCount)
{
    /// <summary>Kind in checkpoints.</summary>
    public const string Kind = "random";

    private const double Stretch = 4096;

    /// <inheritdoc/>
    public override void Choose(float* tokens, nint stride, Span<long> experts, float* scratch, int threads)
    {
        for (int token = 0; token < experts.Length; token++)
        {
            experts[token] = Choose(new ReadOnlySpan<float>(tokens + token * stride, InputFeatures));
        }
    }

    private long Choose(ReadOnlySpan<float> token)
    {
        double product = 0, squares = 0;
        for (int i = 0; i < token.Length; i++)
        {
            double x = token[i];
            product += x * projection[i];
            squares += x * x;
        }

        double turns = product / Math.Max(Math.Sqrt(squares), double.Epsilon) * Stretch;
        double expert = (turns - Math.Floor(turns)) * ExpertCount;

        // The fraction of a tiny negative number rounds to 1; what is not a number goes anywhere.
        return double.IsNaN(expert) ? 0 : Math.Min((long)expert, ExpertCount - 1);
    }
}
