using System.Runtime.InteropServices;

namespace SparseExpansion.Execution.Memory;

/// <summary>Unmanaged memory, aligned to cache lines, that grows and is never moved by the collector.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const nuint Alignment = 64;

    /// <summary>The first byte, null while empty.</summary>
    public byte* Pointer { get; private set; }

    /// <summary>Bytes that may be used.</summary>
    public nuint Length { get; private set; }

    /// <summary>
    /// Makes room for at least <paramref name="bytes"/>, with a quarter to spare, so that needs that grow little by little
    /// seldom allocate; the content is lost when the buffer grows.
    /// </summary>
    public byte* Reserve(nuint bytes) => bytes > Length ? Allocate((bytes + (bytes / 4) + 4095) & ~(nuint)4095) : Pointer;

    /// <summary>Allocates just so many bytes; the content is lost.</summary>
    public byte* Allocate(nuint bytes)
    {
        // Both fields are reset first: a failing allocation must not leave a dangling pointer.
        Free();
        Pointer = (byte*)NativeMemory.AlignedAlloc(Math.Max(bytes, 1), Alignment);
        Length = bytes;
        MemoryAdvice.HugePages(Pointer, bytes);
        return Pointer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        byte* old = Pointer;
        Pointer = null;
        Length = 0;
        NativeMemory.AlignedFree(old);
    }

    /// <summary>Gives the memory back.</summary>
    ~NativeBuffer() => Free();
}
