namespace SparseExpansion.Execution.Kernels;

/// <summary>The processor instructions that a kernel may use.</summary>
internal enum InstructionSet
{
    /// <summary>The instructions of every processor; vectors of 128 bits where the runtime has them.</summary>
    Portable,

    /// <summary>AVX2 and FMA.</summary>
    Avx2,

    /// <summary>AVX-512 F, BW, DQ, VL and VBMI2.</summary>
    Avx512,
}
