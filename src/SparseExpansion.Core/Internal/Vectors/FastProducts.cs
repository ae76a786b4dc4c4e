using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace SparseExpansion.Internal.Vectors;

/// <summary>The number formats that a device multiplies faster than float32.</summary>
internal static class FastProducts
{
    private const int Bfloat16OfVectors = 1 << 5, Bfloat16OfTiles = 1 << 22;

    /// <summary>True if the processor multiplies bfloat16 in hardware; emulated, it is slower than float32.</summary>
    public static bool Bfloat16(Device device) => device.type == TorchSharp.DeviceType.CPU && Host.Value;

    private static Lazy<bool> Host { get; } = new(() =>
    {
        if (!X86Base.IsSupported || !Avx512BW.IsSupported)
        {
            return false;
        }

        // Leaf 7: bit 5 of EAX with subleaf 1 is AVX512-BF16, bit 22 of EDX with subleaf 0 is AMX-BF16.
        (int subleaves, _, _, int features) = X86Base.CpuId(7, 0);
        return (features & Bfloat16OfTiles) != 0
            || (subleaves >= 1 && (X86Base.CpuId(7, 1).Eax & Bfloat16OfVectors) != 0);
    });
}
