namespace SparseExpansion.Inference;

/// <summary>The form in memory of experts in codes of a few bits. The weights are the same in all of them.</summary>
public enum ExpertForm
{
    /// <summary>
    /// The faster one: <see cref="Bitmask"/> on processors that expand it with one instruction (AVX-512 VBMI2), else
    /// <see cref="Dense"/> if all experts take at most half of the memory that the process may use.
    /// </summary>
    Auto,

    /// <summary>
    /// As they lie in the mapped file, pruned weights as one bit: the least memory, 0.39 bytes a weight with 4 bits at
    /// 50 % sparsity, and nothing to do at loading.
    /// </summary>
    Bitmask,

    /// <summary>
    /// Pruned weights get a code too, and fewer than four bits become four: 0.52 bytes a weight, at every sparsity, made
    /// anew at loading. Without AVX-512 VBMI2 one token is decoded in about half the time.
    /// </summary>
    Dense,
}
