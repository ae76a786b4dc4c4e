using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Raw addresses of CPU tensors. The caller keeps the tensor alive while it uses them.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first element of a CPU tensor with at least one element; strides are the caller's business.</summary>
    public static byte* Pointer(Tensor tensor)
    {
        if (tensor.device_type != TorchSharp.DeviceType.CPU)
        {
            throw new ArgumentException("The tensor must be in CPU memory.", nameof(tensor));
        }

        // A view of one element: spans end at 2 GiB, tensors do not.
        using Tensor first = tensor.as_strided([1], [1], tensor.storage_offset());
        return (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}
