using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SparseExpansion.Internal;

/// <summary>Pointers into tensors in host memory, for kernels.</summary>
internal static unsafe class RawMemory
{
    /// <summary>Address of the first element of a contiguous tensor in host memory; valid while the tensor lives, whatever its size.</summary>
    public static T* Pointer<T>(Tensor tensor)
        where T : unmanaged
    {
        if (!tensor.is_contiguous() || tensor.device.type != TorchSharp.DeviceType.CPU)
        {
            throw new ArgumentException("Only contiguous tensors in host memory have a flat address.", nameof(tensor));
        }

        // A span covers at most 2 GiB: one element is enough to learn the address.
        using Tensor flat = tensor.view(-1);
        using Tensor first = flat.narrow(0, 0, Math.Min(1, flat.shape[0]));
        return (T*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}
