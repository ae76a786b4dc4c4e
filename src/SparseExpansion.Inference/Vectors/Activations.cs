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
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)(values[i] * ErrorFunction.NormalDistribution(values[i]));
                }

                break;
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
            if (kind == ActivationKind.Silu)
            {
                TensorPrimitives.Sigmoid(part, factors);
            }
            else
            {
                NormalDistributionByTanh(part, factors);
            }

            TensorPrimitives.Multiply(part, factors, part);
            values = values[part.Length..];
        }
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
