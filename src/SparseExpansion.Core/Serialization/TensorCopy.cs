using SparseExpansion.Execution;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>Reads tensors of a file into memory of their own.</summary>
internal static unsafe class TensorCopy
{
    /// <summary>Largest piece that is read at once, because spans end at 2 GiB.</summary>
    private const long PieceBytes = 1L << 30;

    /// <summary>Bytes that are converted at once, or one row: little memory, and enough for all cores.</summary>
    private const long ConvertedBytes = 1L << 24;

    /// <summary>Copies all bytes.</summary>
    /// <param name="tensor">Contiguous CPU tensor of the entry's shape and dtype, written.</param>
    /// <param name="file">The file.</param>
    /// <param name="entry">One of its tensors.</param>
    public static void Fill(Tensor tensor, SafetensorsFile file, SafetensorsEntry entry)
    {
        if (entry.ByteLength > 0)
        {
            MemoryAdvice.HugePages(RawMemory.Address(tensor), (nuint)entry.ByteLength);
            CopyInto(tensor, file, entry, 0);
            RawMemory.KeepAlive(tensor);
        }
    }

    /// <summary>Copies all values, some rows at a time.</summary>
    /// <param name="target">Tensor of the entry's shape, of any dtype and device, written.</param>
    /// <param name="file">The file.</param>
    /// <param name="entry">One of its tensors.</param>
    public static void Convert(Tensor target, SafetensorsFile file, SafetensorsEntry entry)
    {
        if (entry.ByteLength == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        Tensor rows = target.dim() == 0 ? target.view(1) : target;
        long rowBytes = entry.ByteLength / rows.shape[0];
        long step = Math.Clamp(ConvertedBytes / rowBytes, 1, rows.shape[0]);
        for (long first = 0; first < rows.shape[0]; first += step)
        {
            using Tensor part = rows.narrow(0, first, Math.Min(step, rows.shape[0] - first));
            using Tensor stored = empty(part.shape, (ScalarType)entry.DType, CPU);
            CopyInto(stored, file, entry, first * rowBytes);
            part.copy_(stored);
        }
    }

    /// <summary>Fills a CPU tensor with the bytes from <paramref name="start"/> on.</summary>
    private static void CopyInto(Tensor tensor, SafetensorsFile file, SafetensorsEntry entry, long start)
    {
        byte* address = RawMemory.Address(tensor);
        long bytes = tensor.numel() * ElementTypes.SizeOf(entry.DType);
        for (long done = 0; done < bytes; done += PieceBytes)
        {
            int count = (int)Math.Min(PieceBytes, bytes - done);
            file.Read(entry, start + done, new Span<byte>(address + done, count));
        }

        RawMemory.KeepAlive(tensor);
    }
}
