using System.Numerics;
using System.Numerics.Tensors;
using SparseExpansion.Models;

namespace SparseExpansion.Inference.Vectors;

/// <summary>The non-linearities of feed-forward networks, in place.</summary>
internal static class Activations
{
    // A block of scratch on the stack, small enough for the first-level cache.
    private const int Block = 256;

    /// <summary>values = act(values).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The kind is unknown.</exception>
    public static void Apply(ActivationKind kind, Span<float> values)
    {
        switch (kind)
        {
            case ActivationKind.Silu:
                InBlocks(values, kind);
                break;
            case ActivationKind.Gelu:
            case ActivationKind.GeluTanh:
                InBlocks(values, kind);
                break;
            case ActivationKind.Relu:
                TensorPrimitives.Max(values, 0f, values);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "The activation is unknown.");
        }
    }

    /// <summary>gate = act(gate) · up.</summary>
    public static void ApplyGate(ActivationKind kind, Span<float> gate, ReadOnlySpan<float> up)
    {
        Apply(kind, gate);
        TensorPrimitives.Multiply(gate, up, gate);
    }

    private static void InBlocks(Span<float> values, ActivationKind kind)
    {
        Span<float> scratch = stackalloc float[Block];
        while (!values.IsEmpty)
        {
            Span<float> part = values[..Math.Min(Block, values.Length)], factors = scratch[..part.Length];
            switch (kind)
            {
                case ActivationKind.Silu:
                    TensorPrimitives.Sigmoid(part, factors);
                    break;
                case ActivationKind.Gelu:
                    NormalDistribution(part, factors);
                    break;
                default:
                    NormalDistributionByTanh(part, factors);
                    break;
            }

            TensorPrimitives.Multiply(part, factors, part);
            values = values[part.Length..];
        }
    }

    /// <summary>
    /// Φ(x) with an error below 1e-7: erfc(z) ≈ (a₁t + … + a₅t⁵) · e^(−z²), t = 1 / (1 + pz), for z = |x| / √2
    /// (Abramowitz &amp; Stegun 7.1.26).
    /// </summary>
    private static void NormalDistribution(ReadOnlySpan<float> values, Span<float> target)
    {
        const float P = 0.3275911f * 0.70710678f;
        TensorPrimitives.Multiply(values, values, target);
        TensorPrimitives.Multiply(target, -0.5f, target);
        TensorPrimitives.Exp(target, target);
        int i = 0;
        for (; i + Vector<float>.Count <= values.Length; i += Vector<float>.Count)
        {
            Vector<float> x = new(values[i..]);
            Vector<float> t = Vector<float>.One / (Vector<float>.One + (Vector.Abs(x) * P));
            Vector<float> tail = Polynomial(t) * new Vector<float>(target[i..]);
            Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), tail, Vector<float>.One - tail)
                .CopyTo(target[i..]);
        }

        for (; i < values.Length; i++)
        {
            float t = 1 / (1 + (MathF.Abs(values[i]) * P));
            float tail = Polynomial(new Vector<float>(t))[0] * target[i];
            target[i] = values[i] < 0 ? tail : 1 - tail;
        }
    }

    /// <summary>(a₁t + … + a₅t⁵) / 2.</summary>
    private static Vector<float> Polynomial(Vector<float> t)
    {
        Vector<float> sum = new(0.5f * 1.061405429f);
        sum = (sum * t) + new Vector<float>(0.5f * -1.453152027f);
        sum = (sum * t) + new Vector<float>(0.5f * 1.421413741f);
        sum = (sum * t) + new Vector<float>(0.5f * -0.284496736f);
        sum = (sum * t) + new Vector<float>(0.5f * 0.254829592f);
        return sum * t;
    }

    /// <summary>Φ(x) ≈ (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2 (Hendrycks &amp; Gimpel 2016).</summary>
    private static void NormalDistributionByTanh(ReadOnlySpan<float> values, Span<float> target)
    {
        const float Scale = 0.7978845608028654f, Cubic = 0.044715f;
        TensorPrimitives.Multiply(values, values, target);
        TensorPrimitives.Multiply(target, Cubic, target);
        TensorPrimitives.Add(target, 1f, target);
        TensorPrimitives.Multiply(target, values, target);
        TensorPrimitives.Multiply(target, Scale, target);
        TensorPrimitives.Tanh(target, target);
        TensorPrimitives.Add(target, 1f, target);
        TensorPrimitives.Multiply(target, 0.5f, target);
    }
}
