using System.Collections.Concurrent;
using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>
/// Chooses the fastest kernel by measuring all of them, once for each class of problems in a process. No table in
/// source code could know the processor, its caches and its memory. Kernels differ in rounding, so outputs may differ
/// in the last digits between processes and between numbers of threads; small weights, where a measurement
/// would be noise, have a fixed choice and do not.
/// </summary>
internal static class KernelSelector
{
    /// <summary>Weights with fewer elements are not measured: their products take microseconds.</summary>
    private const long MeasuredElements = 1 << 18;

    private static readonly ConcurrentDictionary<KernelClass, Lazy<KernelKind>> Choices = new();

    /// <summary>
    /// The kernel for a weight and a number of tokens, with the threads and the dense product of the options; the first
    /// call for a class takes some tens of milliseconds.
    /// </summary>
    public static KernelKind Choose(PackedWeight weight, int tokens, bool bfloat16Tokens, ExecutionOptions options)
    {
        if ((long)weight.Rows * weight.Columns < MeasuredElements)
        {
            return tokens == 1 ? KernelKind.Expand : KernelKind.Index;
        }

        KernelClass key = KernelClass.Of(weight, tokens, bfloat16Tokens, options);
        if (!Choices.TryGetValue(key, out Lazy<KernelKind>? choice))
        {
            choice = Add(weight, key, options.Dense);
        }

        try
        {
            // A class holds weights on both sides of the limit from which on indices may be kept.
            return choice.Value is KernelKind.KeptIndex && !KernelCalibration.MayKeepIndices(weight)
                ? KernelKind.Index
                : choice.Value;
        }
        catch
        {
            // A lazy value keeps its error, but what went wrong once (memory ran out) may go well the next time.
            Choices.TryRemove(KeyValuePair.Create(key, choice));
            throw;
        }
    }

    // Apart from its caller, which would allocate what the function captures even where the choice is known.
    private static Lazy<KernelKind> Add(PackedWeight weight, KernelClass key, IDenseProduct? dense) =>
        Choices.GetOrAdd(key, new Lazy<KernelKind>(() => KernelCalibration.Fastest(weight, key, dense)));
}
