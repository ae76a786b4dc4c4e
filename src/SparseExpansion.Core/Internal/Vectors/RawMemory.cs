using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SparseExpansion.Internal.Vectors;

/// <summary>
/// Pointers into tensors in host memory, for kernels. The caller keeps the tensor alive while it uses them.
/// </summary>
internal static unsafe class RawMemory
{
    /// <summary>
    /// Address of the first element of a contiguous tensor in host memory, whatever its size; null for an empty one.
    /// </summary>
    public static T* Pointer<T>(Tensor tensor)
        where T : unmanaged
    {
        if (!tensor.is_contiguous())
        {
            throw new ArgumentException("Only contiguous tensors have a flat address.", nameof(tensor));
        }

        return tensor.numel() == 0 ? null : (T*)Address(tensor);
    }

    /// <summary>
    /// Says at the end of a kernel whose memory it has worked on: pointers keep no tensor alive, and a parameter that
    /// is no longer used may be collected, and its memory freed, while a kernel still runs.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void KeepAlive(params ReadOnlySpan<Tensor?> tensors)
    {
        _ = tensors.Length;
    }

    /// <summary>
    /// Address of the first element of a tensor in host memory with at least
    /// one element; strides are the caller's business.
    /// </summary>
    public static byte* Address(Tensor tensor)
    {
        if (tensor.device_type != TorchSharp.DeviceType.CPU)
        {
            throw new ArgumentException("Only tensors in host memory have an address.", nameof(tensor));
        }

        // A view of one element: spans end at 2 GiB, tensors do not.
        using Tensor first = tensor.as_strided([1], [1], tensor.storage_offset());
        return (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}
