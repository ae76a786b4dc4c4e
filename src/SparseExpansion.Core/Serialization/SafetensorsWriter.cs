using System.Text.Encodings.Web;
using System.Text.Json;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>Writes safetensors files. Equal tensors and metadata give equal bytes.</summary>
public static class SafetensorsWriter
{
    private const long PieceBytes = 1L << 28;

    /// <summary>
    /// Writes a file. It appears under its name only when it is complete and flushed to disk; a failed write leaves
    /// nothing behind and an existing file as it was.
    /// </summary>
    /// <param name="path">The file; it replaces an existing one.</param>
    /// <param name="tensors">
    /// Tensors by name, of any shape and device, strided or not contiguous, of dtype F64, F32, F16, BF16, I64, I32,
    /// I16, I8, U8 or BOOL. They are stored widest element first, then by ordinal name, so that each is aligned.
    /// </param>
    /// <param name="metadata">Strings for <c>__metadata__</c>, stored by ordinal key.</param>
    /// <exception cref="ArgumentException">A name is empty, reserved or occurs twice,
    /// or a tensor has no type in the format.</exception>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        WriteSources(
            path, tensors.Select(item => KeyValuePair.Create(item.Key, TensorSource.Of(item.Key, item.Value))),
            metadata);
    }

    /// <summary>
    /// Writes tensors that are made while they are written, so that they need not be in memory together.
    /// </summary>
    internal static void WriteSources(
        string path, IEnumerable<KeyValuePair<string, TensorSource>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsFileWriter.Write(path, tensors.Select(item => Content(item.Key, item.Value)), metadata);

    private static SafetensorsContent Content(string name, TensorSource source) => new(name, (ElementType)source.DType, source.Shape, stream =>
    {
        foreach (Tensor part in source.Parts())
        {
            WriteTensor(stream, part);
        }
    });

    /// <summary>
    /// Writes in pieces: a span ends at 2 GiB, and a tensor on another device needs host memory for one piece only.
    /// </summary>
    private static void WriteTensor(Stream stream, Tensor tensor)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        Tensor flat = tensor.detach().contiguous().view(-1);
        long count = flat.numel();
        long pieceElements = PieceBytes / ElementTypes.SizeOf((ElementType)tensor.dtype);
        for (long start = 0; start < count; start += pieceElements)
        {
            using var pieceScope = NewDisposeScope();
            Tensor piece = flat.narrow(0, start, Math.Min(pieceElements, count - start)).cpu();
            stream.Write(piece.bytes);
        }
    }
}
