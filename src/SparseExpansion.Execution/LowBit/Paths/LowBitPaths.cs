using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Paths;

/// <summary>The paths that this processor can take.</summary>
internal static class LowBitPaths
{
    /// <summary>The fastest path of this processor.</summary>
    public static LowBitPath Best { get; } =
        IsSupported(LowBitPath.Avx512Vbmi2) ? LowBitPath.Avx512Vbmi2
        : IsSupported(LowBitPath.Avx512) ? LowBitPath.Avx512
        : IsSupported(LowBitPath.Avx2) ? LowBitPath.Avx2
        : LowBitPath.Portable;

    /// <summary>True if this processor has the instructions.</summary>
    public static bool IsSupported(LowBitPath path) => path switch
    {
        LowBitPath.Avx512Vbmi2 =>
            IsSupported(LowBitPath.Avx512) && Avx512Vbmi.IsSupported && Avx512Vbmi2.IsSupported,
        LowBitPath.Avx512 =>
            Avx512BW.IsSupported && Avx512DQ.IsSupported && IsSupported(LowBitPath.Avx2),
        LowBitPath.Avx2 => Avx2.IsSupported && Fma.IsSupported && Bmi2.X64.IsSupported && Popcnt.X64.IsSupported,
        _ => true,
    };
}
