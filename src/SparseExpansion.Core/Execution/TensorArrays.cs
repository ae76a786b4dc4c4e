using SparseExpansion.Execution.Memory;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// Arrays of packed weights as tensors, without copying. Arrays that libtorch
/// made are seen again as the tensors that they are.
/// </summary>
internal static unsafe class TensorArrays
{
    /// <summary>An array for packing, whose content is undefined; it outlives the current dispose scope.</summary>
    public static NativeArray Create(long length, ElementType type)
    {
        Tensor array = empty([length], dtype: (ScalarType)type, device: CPU);
        byte* address = RawMemory.Address(array);
        MemoryAdvice.HugePages(address, (nuint)(length * array.element_size()));
        return new NativeArray((nint)address, length, type, array.DetachFromDisposeScope());
    }

    /// <summary>Takes over a vector in host memory.</summary>
    /// <param name="tensor">[length].</param>
    /// <param name="name">For the message.</param>
    /// <exception cref="CheckpointException">The tensor is not a contiguous vector in host memory.</exception>
    public static NativeArray Of(Tensor tensor, string name) =>
        tensor.device_type == TorchSharp.DeviceType.CPU && tensor.dim() == 1 && tensor.is_contiguous()
            ? Flat(tensor)
            : throw Damaged($"{name} must be a contiguous vector in CPU memory");

    /// <summary>Takes over a grid.</summary>
    /// <exception cref="CheckpointException">Its tensors do not lie in host memory one row after the other.</exception>
    public static PackedGrid Of(QuantizationGrid grid)
    {
        if (grid.Scales.device_type != TorchSharp.DeviceType.CPU || grid.Zeros.device_type != TorchSharp.DeviceType.CPU
            || !grid.Scales.is_contiguous() || !grid.Zeros.is_contiguous())
        {
            throw Damaged("scales and zero points must be contiguous in CPU memory");
        }

        return new PackedGrid(
            grid.Quantization.Bits, grid.Quantization.GroupSize, checked((int)grid.Scales.shape[0]), grid.Columns,
            Flat(grid.Scales), Flat(grid.Zeros));
    }

    /// <summary>The tensor that an array is. It belongs to the array: do not dispose it.</summary>
    public static Tensor AsTensor(this NativeArray array) =>
        array.Owner as Tensor ?? throw new InvalidOperationException("The array was not made by libtorch.");

    /// <summary>The grid as tensors. They belong to the packed grid: do not dispose them.</summary>
    public static QuantizationGrid AsTensors(this PackedGrid grid) =>
        new(grid.QuantizationOf(), grid.Columns, grid.Scales.AsTensor(), grid.Zeros.AsTensor());

    /// <summary>Bits and groups of a grid.</summary>
    public static WeightQuantization QuantizationOf(this PackedGrid grid) =>
        new() { Bits = grid.Bits, GroupSize = grid.GroupSize };

    private static NativeArray Flat(Tensor tensor) =>
        new(
            tensor.numel() == 0 ? 0 : (nint)RawMemory.Address(tensor), tensor.numel(), (ElementType)tensor.dtype,
            tensor);

    private static CheckpointException Damaged(string problem) =>
        new($"The packed weight is damaged: {problem}. Expand the model again or restore the file.");
}
