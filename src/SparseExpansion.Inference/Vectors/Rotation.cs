using System.Numerics;

namespace SparseExpansion.Inference.Vectors;

/// <summary>Rotary embeddings (Su et al. 2021) of heads, in place.</summary>
internal static class Rotation
{
    /// <summary>
    /// Rotates features i and i + pairs of every head; features from 2 · pairs on stay. This is the order of Llama and
    /// all others in Hugging Face layout.
    /// </summary>
    /// <param name="heads">[heads · features] of one token.</param>
    /// <param name="features">Features of a head, at least 2 · pairs.</param>
    /// <param name="cosines">[pairs] of the token's position.</param>
    /// <param name="sines">[pairs].</param>
    public static void Halves(
        Span<float> heads, int features, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        int pairs = cosines.Length;
        for (; heads.Length >= features; heads = heads[features..])
        {
            Span<float> first = heads[..pairs], second = heads.Slice(pairs, pairs);
            int i = 0;
            for (; i + Vector<float>.Count <= pairs; i += Vector<float>.Count)
            {
                Vector<float> x = new(first[i..]), y = new(second[i..]);
                Vector<float> cosine = new(cosines[i..]), sine = new(sines[i..]);
                ((x * cosine) - (y * sine)).CopyTo(first[i..]);
                ((y * cosine) + (x * sine)).CopyTo(second[i..]);
            }

            for (; i < pairs; i++)
            {
                (first[i], second[i]) = Rotate(first[i], second[i], cosines[i], sines[i]);
            }
        }
    }

    /// <summary>Rotates features 2i and 2i + 1 of every head; see <see cref="Halves"/>.</summary>
    public static void Neighbors(
        Span<float> heads, int features, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        for (; heads.Length >= features; heads = heads[features..])
        {
            for (int i = 0; i < cosines.Length; i++)
            {
                (heads[2 * i], heads[(2 * i) + 1]) = Rotate(heads[2 * i], heads[(2 * i) + 1], cosines[i], sines[i]);
            }
        }
    }

    private static (float First, float Second) Rotate(float x, float y, float cosine, float sine) =>
        ((x * cosine) - (y * sine), (y * cosine) + (x * sine));
}
