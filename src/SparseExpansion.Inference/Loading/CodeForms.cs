using System.Runtime.ExceptionServices;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Inference.Linears;

namespace SparseExpansion.Inference.Loading;

/// <summary>Gives the weights in codes of a model the form that was asked for.</summary>
internal static class CodeForms
{
    /// <summary>Rearranges weights, or leaves them as they are.</summary>
    /// <param name="linears">The layers of the model, not used yet.</param>
    /// <param name="options">The form, and threads to use.</param>
    /// <returns>Bytes that were allocated for it.</returns>
    public static long Apply(IEnumerable<ICodedLinear> linears, InferenceOptions options)
    {
        ICodedLinear[] chosen =
            [.. linears.Where(linear => linear.RearrangedBytes > 0 && IsWanted(options, linear.HasMasks, LowBitPaths.Best))];
        long bytes = chosen.Sum(linear => linear.RearrangedBytes);
        if (options.Codes != CodeForm.Rearranged && !Fits(bytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes))
        {
            return 0;
        }

        try
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads ?? Environment.ProcessorCount };
            Parallel.ForEach(chosen, parallel, linear => linear.Rearrange());
            return bytes;
        }
        catch (AggregateException errors)
        {
            // The first one is what the caller would have got from a loop.
            ExceptionDispatchInfo.Throw(errors.InnerExceptions[0]);
            throw;
        }
    }

    /// <summary>True if weights are rearranged where memory allows it.</summary>
    /// <param name="options">The form that was asked for.</param>
    /// <param name="hasMasks">True for experts under bitmasks.</param>
    /// <param name="path">Instructions of the kernels.</param>
    public static bool IsWanted(InferenceOptions options, bool hasMasks, LowBitPath path) => options.Codes switch
    {
        CodeForm.Rearranged => true,
        CodeForm.Stored => false,
        _ => options.Activations == ActivationPrecision.Int8 && path != LowBitPath.Portable
            && !(hasMasks && path == LowBitPath.Avx512Vbmi2),
    };

    /// <summary>True if so many bytes leave room for everything else.</summary>
    public static bool Fits(long bytes, long available) => bytes <= available / 2;
}
