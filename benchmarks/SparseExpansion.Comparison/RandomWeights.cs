namespace SparseExpansion.Comparison;

/// <summary>Fast random numbers for weights, the same for the same seed (Marsaglia 2003, "Xorshift RNGs").</summary>
/// <param name="seed">Any number.</param>
internal sealed class RandomWeights(uint seed)
{
    /// <summary>About the standard deviation of the weights, small enough that logits stay finite.</summary>
    public const float Deviation = 0.02f;

    private uint _state = (seed * 2654435769u) | 1;

    /// <summary>32 random bits.</summary>
    public uint NextBits()
    {
        _state ^= _state << 13;
        _state ^= _state >> 17;
        return _state ^= _state << 5;
    }

    /// <summary>Uniform from 0 up to 1.</summary>
    public float NextUniform() => (NextBits() >> 8) * (1f / (1 << 24));

    /// <summary>Nearly normal with a deviation of <see cref="Deviation"/>: the sum of three uniform numbers, each of
    /// variance 1/12.</summary>
    public float NextWeight() => (NextUniform() + NextUniform() + NextUniform() - 1.5f) * (2 * Deviation);

    /// <summary>Fills a span with weights.</summary>
    public void Fill(Span<float> weights)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = NextWeight();
        }
    }
}
