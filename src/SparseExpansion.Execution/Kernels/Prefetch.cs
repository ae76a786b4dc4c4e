using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels;

/// <summary>
/// Asks for stream data before it is needed. The hardware's prefetchers stop at 4 KB boundaries, which a stream of one
/// to two bytes per weight crosses often. The hint may point beyond the end of the stream; it never faults.
/// </summary>
internal static unsafe class Prefetch
{
    private const int ValueDistance = 8192;
    private const int IndexDistance = 2048;

    /// <summary>The values some cache lines ahead.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ahead(byte* values)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(values + ValueDistance);
        }
    }

    /// <summary>Four lines of values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(byte* values)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(values + ValueDistance);
            Sse.Prefetch0(values + ValueDistance + 64);
            Sse.Prefetch0(values + ValueDistance + 128);
            Sse.Prefetch0(values + ValueDistance + 192);
        }
    }

    /// <summary>The values and indices some cache lines ahead.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ahead(byte* values, byte* indices)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(values + ValueDistance);
            Sse.Prefetch0(values + ValueDistance + 64);
            Sse.Prefetch0(indices + IndexDistance);
        }
    }
}
