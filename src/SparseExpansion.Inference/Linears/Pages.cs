using SparseExpansion.Execution;
using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Inference.Linears;

/// <summary>Pages of mapped files.</summary>
internal static unsafe class Pages
{
    /// <summary>Lets go of the pages of an array that lies in a mapped file, which is not read any more.</summary>
    public static void Release(NativeArray array)
    {
        if (array.Owner is null)
        {
            MemoryAdvice.Release((byte*)array.Address, (nuint)array.ByteLength);
        }
    }
}
