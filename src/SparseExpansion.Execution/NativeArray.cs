using System.Runtime.InteropServices;
using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Execution;

/// <summary>
/// A flat array outside of the collector's memory: a pointer, its length, and whoever the memory belongs to. Disposing
/// it disposes the owner.
/// </summary>
public sealed unsafe class NativeArray : IDisposable
{
    /// <summary>Takes over the owner of some memory.</summary>
    /// <param name="address">The first element; may be 0 where there is none.</param>
    /// <param name="length">Elements.</param>
    /// <param name="type">Their type.</param>
    /// <param name="owner">Keeps the memory while it is referred to; disposed with this array. Null: somebody else sees
    /// to it that the memory stays.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative, or more bytes than there are
    /// addresses.</exception>
    public NativeArray(nint address, long length, ElementType type, IDisposable? owner)
    {
        RequireLength(length, type);
        (Address, Length, Type, Owner) = (address, length, type, owner);
    }

    /// <summary>The first element.</summary>
    public nint Address { get; }

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Type of the elements.</summary>
    public ElementType Type { get; }

    /// <summary>Bytes of all elements.</summary>
    public long ByteLength => Length * ElementTypes.SizeOf(Type);

    /// <summary>Keeps the memory; null where somebody else does.</summary>
    internal IDisposable? Owner { get; }

    internal byte* Pointer => (byte*)Address;

    /// <summary>New memory, aligned to cache lines; its contents are undefined.</summary>
    /// <param name="length">Elements.</param>
    /// <param name="type">Their type.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative, or more bytes than there are
    /// addresses.</exception>
    public static NativeArray Allocate(long length, ElementType type)
    {
        RequireLength(length, type);
        var memory = new NativeBuffer();
        return new NativeArray((nint)memory.Allocate((nuint)(length * ElementTypes.SizeOf(type))), length, type, memory);
    }

    /// <summary>The same elements in memory of their own.</summary>
    internal NativeArray Copy()
    {
        NativeArray copy = Allocate(Length, Type);
        Buffer.MemoryCopy(Pointer, copy.Pointer, copy.ByteLength, ByteLength);
        GC.KeepAlive(this);
        return copy;
    }

    /// <summary>Elements from <paramref name="start"/> on, to read and write while this array lives.</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="ArgumentException"><typeparamref name="T"/> has another size than the elements.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside of the array.</exception>
    public Span<T> Span<T>(long start, int count)
        where T : unmanaged
    {
        int size = ElementTypes.SizeOf(Type);
        if (sizeof(T) != size)
        {
            throw new ArgumentException($"Elements of {Type} have {size} bytes, {typeof(T).Name} has {sizeof(T)}.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Length - count);
        return MemoryMarshal.CreateSpan(ref *((T*)Address + start), count);
    }

    /// <summary>Every byte count of an array fits 64 bits.</summary>
    private static void RequireLength(long length, ElementType type)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, nint.MaxValue / ElementTypes.SizeOf(type));
    }

    /// <inheritdoc/>
    public void Dispose() => Owner?.Dispose();
}
