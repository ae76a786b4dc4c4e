using SparseExpansion.Execution;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>Copies tensors out of a mapped file.</summary>
internal static unsafe class TensorCopy
{
    /// <summary>Largest piece of a copy of the mapped bytes, because spans end at 2 GiB.</summary>
    private const long PieceBytes = 1L << 30;

    /// <summary>Copies all bytes.</summary>
    /// <param name="tensor">CPU tensor of the entry's shape and dtype, written.</param>
    /// <param name="file">The file.</param>
    /// <param name="entry">One of its tensors.</param>
    public static void Fill(Tensor tensor, SafetensorsFile file, SafetensorsEntry entry)
    {
        if (entry.ByteLength > 0)
        {
            MemoryAdvice.HugePages(RawMemory.Address(tensor), (nuint)entry.ByteLength);
            RawMemory.KeepAlive(tensor);
            CopyInto(tensor, file, entry);
        }
    }

    private static void CopyInto(Tensor tensor, SafetensorsFile file, SafetensorsEntry entry)
    {
        using var scope = NewDisposeScope();
        long elementSize = ElementTypes.SizeOf(entry.DType);
        Tensor flat = tensor.view(-1);
        for (long done = 0; done < entry.ByteLength; done += PieceBytes)
        {
            int count = (int)Math.Min(PieceBytes, entry.ByteLength - done);
            using Tensor piece = flat.narrow(0, done / elementSize, count / elementSize);
            file.Bytes(entry, done, count).CopyTo(piece.bytes);
        }
    }
}
