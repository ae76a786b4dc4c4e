namespace SparseExpansion.Inference;

/// <summary>The form in memory of weights in codes of a few bits. Their values are the same in all of them.</summary>
public enum CodeForm
{
    /// <summary>
    /// The faster one: <see cref="Rearranged"/>, if that takes at most half of the memory that the process may use, for all
    /// weights but experts on processors that expand their bitmasks with one instruction (AVX-512 VBMI2).
    /// </summary>
    Auto,

    /// <summary>
    /// As they lie in the mapped file: the least memory, 0.39 bytes a weight for experts of 4 bits at 50 % sparsity, and
    /// nothing to do at loading.
    /// </summary>
    Stored,

    /// <summary>
    /// In the order of the kernels, and pruned weights have a code too: 0.53 bytes a weight with up to 4 bits, 1.02 with 8,
    /// whatever the sparsity; made at loading. Without AVX-512 VBMI2 a token takes half to a third of the time.
    /// </summary>
    Rearranged,
}
