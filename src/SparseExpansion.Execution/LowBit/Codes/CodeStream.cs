using System.Runtime.CompilerServices;
using SparseExpansion.Execution.LowBit.Paths;

namespace SparseExpansion.Execution.LowBit.Codes;

/// <summary>
/// Codes of a weight as bytes, unpacked some hundreds at a time, so that they come from the first-level cache and
/// nobody has to count them before.
/// </summary>
internal unsafe ref struct CodeStream
{
    /// <summary>Bytes of scratch memory that a stream needs.</summary>
    public const int ScratchBytes = Chunk + Reserve + 3 * CodeUnpacker.Slack;

    // Enough for a row piece of any layout, and for vectors that reach past it.
    private const int Reserve = 320;
    private const int Chunk = 2048;
    private readonly byte* _codes;
    private readonly byte* _scratch;
    private readonly long _end;
    private readonly int _bits;
    private readonly LowBitPath _path;
    private long _next;
    private byte* _limit;

    /// <summary>A stream from a position on.</summary>
    public CodeStream(byte* codes, long position, long end, int bits, LowBitPath path, byte* scratch)
    {
        _codes = codes;
        _scratch = scratch;
        (_next, _end, _bits, _path) = (position, end, bits, path);
        Current = bits == 8 ? codes + position : scratch;
        _limit = bits == 8 ? (byte*)nuint.MaxValue : Current;
    }

    /// <summary>The next code.</summary>
    public byte* Current;

    /// <summary>Sees to it that the codes of the next row piece are there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Ensure()
    {
        if (Current + Reserve > _limit)
        {
            Refill();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refill()
    {
        // What is left moves to the front; the unpacker may write a code before what it is asked for.
        int left = (int)Math.Max(0, _limit - Current);
        nint count = (nint)Math.Min(Chunk, _end - _next);
        if (count <= 0)
        {
            _limit = (byte*)nuint.MaxValue; // All codes are there.
            return;
        }

        byte* target = _scratch + CodeUnpacker.Slack + Reserve;
        byte* kept = stackalloc byte[Reserve];
        Buffer.MemoryCopy(Current, kept, Reserve, left);
        byte* first = CodeUnpacker.Unpack(_codes, _next, count, _bits, _path, target - CodeUnpacker.Slack);
        Buffer.MemoryCopy(kept, first - left, Reserve, left);
        Current = first - left;
        _next += count;
        _limit = first + count;
    }
}
