using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>The form of stored values that a kernel reads as float32. Addresses need not be aligned.</summary>
internal unsafe interface IValueFormat
{
    /// <summary>Bytes of a value.</summary>
    static abstract int Size { get; }

    /// <summary>One value as float32.</summary>
    static abstract float Load(byte* source, nint index);

    /// <summary>Four values as float32.</summary>
    static abstract Vector128<float> Load4(byte* source, nint index);

    /// <summary>Eight values as float32.</summary>
    static abstract Vector256<float> Load8(byte* source, nint index);

    /// <summary>Sixteen values as float32.</summary>
    static abstract Vector512<float> Load16(byte* source, nint index);
}
