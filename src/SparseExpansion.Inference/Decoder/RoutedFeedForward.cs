using System.Numerics.Tensors;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Models;

namespace SparseExpansion.Inference.Decoder;

/// <summary>
/// A mixture of experts of the model itself: each token goes through a few of them, whose outputs are added, weighted,
/// in the order of the experts.
/// </summary>
/// <param name="routing">Number of experts, and of those that a token goes through.</param>
/// <param name="router">Gives the logits of the experts.</param>
/// <param name="experts">The experts.</param>
internal sealed unsafe class RoutedFeedForward(ExpertRouting routing, Linear router, FeedForward[] experts) : FeedForward
{
    /// <inheritdoc/>
    public override void Run(DecoderPass pass, float* input, int count, float* output)
    {
        int width = router.InFeatures;
        float* weights = Weigh(pass, input, count);
        float* tokens = pass.Reserve(PassMemory.ExpertInput, (long)count * width);
        float* results = pass.Reserve(PassMemory.ExpertOutput, (long)count * width);
        new Span<float>(output, count * width).Clear();
        for (int expert = 0; expert < experts.Length; expert++)
        {
            int chosen = Gather(weights + expert, count, input, tokens, width);
            if (chosen > 0)
            {
                experts[expert].Run(pass, tokens, chosen, results);
                Scatter(weights + expert, count, results, output, width);
            }
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        router.Dispose();
        Array.ForEach(experts, expert => expert.Dispose());
    }

    /// <summary>[count, experts]: the weight of each expert of a token, 0 where it is none of the chosen ones.</summary>
    private float* Weigh(DecoderPass pass, float* input, int count)
    {
        float* weights = pass.Reserve(PassMemory.Probabilities, (long)count * experts.Length);
        pass.Input.Set(input, router.InFeatures, count);
        router.Multiply(pass.Input, weights, experts.Length);
        for (int token = 0; token < count; token++)
        {
            var row = new Span<float>(weights + (nint)token * experts.Length, experts.Length);
            TensorPrimitives.SoftMax(row, row);
            KeepLargest(row, routing.PerToken);
            if (routing.NormalizesWeights)
            {
                TensorPrimitives.Divide(row, TensorPrimitives.Sum<float>(row), row);
            }
        }

        return weights;
    }

    /// <summary>Sets all but the largest numbers to 0; of equal ones the first are kept. Numbers are not negative.</summary>
    private static void KeepLargest(Span<float> numbers, int count)
    {
        Span<bool> kept = stackalloc bool[numbers.Length];
        kept.Clear();
        for (int k = 0; k < Math.Min(count, numbers.Length); k++)
        {
            int best = -1;
            for (int i = 0; i < numbers.Length; i++)
            {
                best = !kept[i] && (best < 0 || numbers[i] > numbers[best]) ? i : best;
            }

            kept[best] = true;
        }

        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = kept[i] ? numbers[i] : 0;
        }
    }

    private int Gather(float* weights, int count, float* input, float* tokens, int width)
    {
        int chosen = 0;
        for (int token = 0; token < count; token++)
        {
            if (weights[(nint)token * experts.Length] != 0)
            {
                new ReadOnlySpan<float>(input + (nint)token * width, width)
                    .CopyTo(new Span<float>(tokens + (nint)chosen * width, width));
                chosen++;
            }
        }

        return chosen;
    }

    private void Scatter(float* weights, int count, float* results, float* output, int width)
    {
        for (int token = 0; token < count; token++)
        {
            float weight = weights[(nint)token * experts.Length];
            if (weight != 0)
            {
                var sum = new Span<float>(output + (nint)token * width, width);
                TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(results, width), weight, sum, sum);
                results += width;
            }
        }
    }
}
