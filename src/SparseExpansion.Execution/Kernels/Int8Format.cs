using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Signed bytes; whoever reads them multiplies with a scale afterwards.</summary>
internal readonly unsafe struct Int8Format : IValueFormat
{
    public static int Size => sizeof(sbyte);

    public static float Load(byte* source, nint index) => (sbyte)source[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load4(byte* source, nint index)
    {
        Vector128<sbyte> bytes =
            Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source + index)).AsSByte();
        return Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source, nint index)
    {
        Vector128<sbyte> bytes =
            Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source + index)).AsSByte();
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
        {
            return Vector256.ConvertToSingle(System.Runtime.Intrinsics.X86.Avx2.ConvertToVector256Int32(bytes));
        }

        Vector128<short> shorts = Vector128.WidenLower(bytes);
        return Vector256.ConvertToSingle(
            Vector256.Create(Vector128.WidenLower(shorts), Vector128.WidenUpper(shorts)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* source, nint index)
    {
        if (Avx512F.IsSupported)
        {
            return Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)source + index)));
        }

        return Vector512.Create(Load8(source, index), Load8(source, index + 8));
    }
}
