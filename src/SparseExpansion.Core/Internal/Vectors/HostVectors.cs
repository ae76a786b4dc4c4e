using System.Runtime.Intrinsics;

namespace SparseExpansion.Internal.Vectors;

/// <summary>Vectors of bfloat16 and of masks in host memory.</summary>
internal static unsafe class HostVectors
{
    /// <summary>16 numbers.</summary>
    public static Vector512<float> FromBFloat16(ushort* values) =>
        (Vector512.WidenLower(Vector256.Load(values).ToVector512Unsafe()) << 16).AsSingle();

    /// <summary>A number.</summary>
    public static float FromBFloat16(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>The bits of the nearest bfloat16, ties to even, in the low halves; finite numbers.</summary>
    public static Vector512<uint> ToBFloat16(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        return (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
    }

    /// <summary>The bits of the nearest bfloat16, ties to even; a finite number.</summary>
    public static ushort ToBFloat16(float value) => (ushort)ToBFloat16(Vector512.CreateScalar(value)).ToScalar();

    /// <summary>All bits where a mask of bool has true, of 16.</summary>
    public static Vector512<uint> Mask(byte* mask)
    {
        Vector256<ushort> words = Vector256.WidenLower(Vector128.Load(mask).ToVector256Unsafe());
        return ~Vector512.Equals(Vector512.WidenLower(words.ToVector512Unsafe()), Vector512<uint>.Zero);
    }

    /// <summary>16 numbers, 0 where a mask of bool has true.</summary>
    public static Vector512<float> Kept(Vector512<float> values, byte* pruned) =>
        Vector512.AndNot(values, Mask(pruned).AsSingle());
}
