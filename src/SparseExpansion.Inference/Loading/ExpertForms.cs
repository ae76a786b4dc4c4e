using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Inference.Linears;

namespace SparseExpansion.Inference.Loading;

/// <summary>Gives the experts of a model the form that was asked for.</summary>
internal static class ExpertForms
{
    /// <summary>Converts the experts of a model, or leaves them as they are.</summary>
    /// <param name="mixtures">All mixtures of the model, not used yet.</param>
    /// <param name="options">The form, and threads to convert with.</param>
    public static void Apply(IReadOnlyList<MixtureLinear> mixtures, InferenceOptions options)
    {
        long bytes = mixtures.Sum(mixture => mixture.DenseBytes);
        if (IsDense(options, bytes, LowBitPaths.Best, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes))
        {
            foreach (MixtureLinear mixture in mixtures.Where(mixture => mixture.DenseBytes > 0))
            {
                mixture.UseDenseCodes(options.Threads ?? Environment.ProcessorCount);
            }
        }
    }

    /// <summary>True if experts get dense codes.</summary>
    /// <param name="options">The form that was asked for.</param>
    /// <param name="bytes">Bytes that all experts take then.</param>
    /// <param name="path">Instructions of the kernels.</param>
    /// <param name="available">Bytes that the process may use.</param>
    public static bool IsDense(InferenceOptions options, long bytes, LowBitPath path, long available) => options.Experts switch
    {
        ExpertForm.Dense => true,
        ExpertForm.Bitmask => false,
        _ => options.Activations == ActivationPrecision.Int8 && path is LowBitPath.Avx2 or LowBitPath.Avx512
            && bytes <= available / 2,
    };
}
