using System.Runtime.InteropServices;
using System.Text;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>
/// Tensors that lie in a file. libtorch maps the file, which TorchSharp does not expose, so a fixed script asks for it.
/// All tensors of one mapping share it; the last one that is disposed unmaps the file. Pages are private: writing to
/// such a tensor never changes the file.
/// </summary>
internal sealed class MappedFile : IDisposable
{
    private const string Function = "map_file";

    // Scripts take no strings, so the path comes as its UTF-8 bytes.
    private static readonly Lazy<jit.CompilationUnit> s_script = new(() => jit.compile($"""
        def {Function}(path: Tensor, size: int, kind: int) -> Tensor:
            name = ""
            codes: List[int] = path.tolist()
            for code in codes:
                name += chr(code)
            return torch.from_file(name, False, size, dtype=kind)

        """));

    private readonly string _path;
    private readonly long _length;
    private readonly Dictionary<ElementType, Tensor> _whole = [];

    /// <param name="path">The file.</param>
    /// <param name="length">Its bytes, as far as they were checked.</param>
    public MappedFile(string path, long length) => (_path, _length) = (path, length);

    /// <summary>
    /// True if the tensor can be used where it lies: its bytes are aligned to its elements, and every byte is a value.
    /// </summary>
    public static bool Supports(SafetensorsEntry entry) =>
        entry.ByteLength > 0 && entry.DType != ElementType.Bool && entry.Offset % ElementTypes.SizeOf(entry.DType) == 0;

    /// <summary>A tensor over the file's bytes, owned by the caller; it outlives this object.</summary>
    /// <exception cref="CheckpointException">The system refuses to map the file, or it has become shorter.</exception>
    public unsafe Tensor Map(SafetensorsEntry entry)
    {
        long size = ElementTypes.SizeOf(entry.DType);
        if (!_whole.TryGetValue(entry.DType, out Tensor? whole))
        {
            _whole.Add(entry.DType, whole = MapWhole((ScalarType)entry.DType, _length / size));
        }

        using Tensor flat = whole.narrow(0, entry.Offset / size, entry.ByteLength / size);
        MemoryAdvice.ReadAhead(RawMemory.Address(flat), (nuint)entry.ByteLength);
        RawMemory.KeepAlive(flat);
        return flat.view([.. entry.Shape]);
    }

    /// <summary>Gives up the mapping; tensors over it keep it.</summary>
    public void Dispose()
    {
        foreach (Tensor whole in _whole.Values)
        {
            whole.Dispose();
        }

        _whole.Clear();
    }

    private Tensor MapWhole(ScalarType dtype, long elements)
    {
        using Tensor path = tensor(
            Array.ConvertAll(Encoding.UTF8.GetBytes(Path.GetFullPath(_path)), code => (long)code), device: CPU);
        try
        {
            return s_script.Value.Invoke(Function, path, Scalars.Of(elements), Scalars.Of((long)dtype))
                .DetachFromDisposeScope();
        }
        catch (ExternalException error)
        {
            throw new CheckpointException(
                $"{_path}: cannot be mapped into memory ({Reason(error)}). "
                + "Load it without MemoryMap.", error);
        }
    }

    /// <summary>The last error line of the interpreter's report.</summary>
    private static string Reason(ExternalException error) =>
        error.Message.Split('\n')
            .LastOrDefault(line => line.StartsWith("RuntimeError", StringComparison.Ordinal))?.Trim()
                ?? "libtorch gives no reason";
}
