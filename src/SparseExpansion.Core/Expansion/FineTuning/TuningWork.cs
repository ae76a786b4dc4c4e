using SparseExpansion.Expansion.Memory;
using TorchSharp;
using TorchSharp.Modules;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Memory and operations that fine-tuning takes.</summary>
internal static class TuningWork
{
    /// <summary>
    /// Tensors as wide as inputs and outputs of a linear that a step keeps for each: themselves, sorted by expert, and
    /// gradients.
    /// </summary>
    private const long CopiesOfActivations = 6;

    /// <summary>
    /// Tensors as wide as the model's outputs that a loss of them keeps: logits, distributions, gradients.
    /// </summary>
    private const long CopiesOfOutputs = 8;

    /// <summary>
    /// Bytes of a step at the largest block, without weights and activations that are resident; where the block is the
    /// whole model, with the dense outputs of all tokens.
    /// </summary>
    public static long Bytes(WorkSize size, FineTuningOptions options)
    {
        long tokens = StepTokens(size, options);
        long outputs = options.OutputLoss is null ? 0 : tokens * OutputFeatures(size) * CopiesOfOutputs;
        return Tuned(size).Max(block => (Weights(size, block) * BytesOfWeight(size)) + (tokens * LinearFeatures(size, block) * CopiesOfActivations * sizeof(float))
                + (!size.Blocks[block].IsWholeModel ? 0 : size.Tokens * OutputFeatures(size) * size.ElementSize))
            + (outputs * sizeof(float));
    }

    /// <summary>Floating-point operations of all blocks.</summary>
    public static double Operations(WorkSize size, FineTuningOptions options)
    {
        double steps = (double)options.Steps * StepTokens(size, options),
            looks = (double)options.Steps / options.CheckInterval * options.HoldOut * size.Tokens;
        double outputs = options.OutputLoss is null ? 0 : (8 * steps) + (4 * looks);
        return Tuned(size).Sum(block => ((6 * steps) + (2 * looks)) * size.Parameters(block))
            + (outputs * size.HiddenFeatures * OutputFeatures(size));
    }

    /// <summary>Blocks that have something to tune.</summary>
    private static IEnumerable<int> Tuned(WorkSize size) =>
        Enumerable.Range(0, size.Blocks.Count).Where(block => size.Blocks[block].Slots.Count > 0);

    private static long Weights(WorkSize size, int block) =>
        size.Blocks[block].Slots.Sum(size.DenseExperts) / size.ElementSize;

    /// <summary>
    /// Mask, masked product, best state and two gradients in the weight's type; two moments, their root and a gradient
    /// in at least float32, and a copy of narrower weights.
    /// </summary>
    private static long BytesOfWeight(WorkSize size) =>
        (5 * size.ElementSize) + (size.ElementSize < sizeof(float) ? 5 * sizeof(float) : 4 * size.ElementSize);

    private static long StepTokens(WorkSize size, FineTuningOptions options) =>
        options.BatchWindows * TuningWindow.Cut(size.Batches)
        .Select(window => window.Length * WorkSize.TokensOf(size.Batches[window.Batch]) / size.Batches[window.Batch].Input.shape[0])
        .DefaultIfEmpty(0).Max();

    private static long LinearFeatures(WorkSize size, int block) =>
        size.ModuleOf(block).modules().OfType<Linear>().Sum(linear => linear.in_features + linear.out_features);

    /// <summary>As wide as the widest matrix of the model, which is the vocabulary of a language model.</summary>
    private static long OutputFeatures(WorkSize size) =>
        size.Request.Model.parameters().Where(parameter => parameter.Dimensions == 2)
            .Select(parameter => parameter.shape.Max()).DefaultIfEmpty(1).Max();
}
