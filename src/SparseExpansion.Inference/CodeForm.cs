namespace SparseExpansion.Inference;

/// <summary>The form in memory of weights in codes of a few bits. Their values are the same in all of them.</summary>
public enum CodeForm
{
    /// <summary>
    /// The faster one: <see cref="Rearranged"/> on processors with AVX2, if all copies take at most half of the memory that the
    /// process may use; but <see cref="Stored"/> for experts where one instruction expands their bitmasks (AVX-512 VBMI2),
    /// and for everything with <see cref="ActivationPrecision.Float32"/>.
    /// </summary>
    Auto,

    /// <summary>
    /// As they lie in the mapped file: the least memory, 0.39 bytes a weight for experts of 4 bits at 50 % sparsity, and
    /// nothing to do at loading.
    /// </summary>
    Stored,

    /// <summary>
    /// In the order of the kernels, and pruned weights have a code too: 0.53 bytes a weight with up to 4 bits (0.56 with scales
    /// for 64 columns), 1.02 with 8, whatever the sparsity. Made at loading, in memory of the process. Without AVX-512 VBMI2
    /// a token of experts in 4 bits takes about a third of the time.
    /// </summary>
    Rearranged,
}
