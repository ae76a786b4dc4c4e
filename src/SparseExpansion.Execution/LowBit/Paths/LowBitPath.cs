namespace SparseExpansion.Execution.LowBit.Paths;

/// <summary>The processor instructions that integer kernels may use.</summary>
internal enum LowBitPath
{
    /// <summary>The instructions of every processor.</summary>
    Portable,

    /// <summary>AVX2 and BMI2.</summary>
    Avx2,

    /// <summary>AVX-512 F and BW, and BMI2.</summary>
    Avx512,

    /// <summary>AVX-512 with VBMI and VBMI2: bytes are put under their columns in registers.</summary>
    Avx512Vbmi2,
}
