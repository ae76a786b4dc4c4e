using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>float32: two groups of sixteen columns, in order.</summary>
internal readonly unsafe struct Float32Expander : IExpander
{
    public static int Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Spread(byte* values, byte* mask, out Vector512<float> first, out Vector512<float> second)
    {
        first = Sixteen((float*)values, mask);
        second = Sixteen((float*)values + BitOperations.PopCount(*(ushort*)mask), mask + 2);
    }

    // The comparison becomes a test of the broadcast mask against the lanes' bits. Only 16 of the 32 bits read count;
    // the mask of the last columns is read together with the bytes behind it,
    // which the padding of every mask array allows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Sixteen(float* values, byte* mask)
    {
        Vector512<int> bits = Vector512.Create(
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        Vector512<int> kept = ~Vector512.Equals(Vector512.Create(*(int*)mask) & bits, Vector512<int>.Zero);
        return Avx512F.Expand(Vector512<float>.Zero, kept.AsSingle(), Vector512.Load(values));
    }
}
