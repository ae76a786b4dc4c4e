using System.Buffers;
using SparseExpansion.Internal.Files;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>
/// Tokens in a file on disk instead of memory, row by row as float32. The file goes away with this object, and with the
/// process.
/// </summary>
internal sealed class SpilledTokens : ITokenSource, IDisposable
{
    private readonly FileStream _file;
    private readonly List<long> _parts = [0];

    /// <param name="folder">Folder of the file.</param>
    /// <param name="features">Width of a token.</param>
    public SpilledTokens(string folder, int features) => (_file, Features) = (ScratchFile.Create(folder), features);

    public long TokenCount { get; private set; }

    public int Features { get; }

    private long RowBytes => (long)Features * sizeof(float);

    /// <summary>Adds tokens.</summary>
    /// <param name="tokens">[tokens, features], float32, contiguous, on the CPU.</param>
    public void Add(Tensor tokens)
    {
        _file.Position = TokenCount * RowBytes;
        int rows = RowsAtOnce;
        for (long start = 0; start < tokens.shape[0]; start += rows)
        {
            using Tensor piece = tokens.narrow(0, start, Math.Min(rows, tokens.shape[0] - start));
            _file.Write(piece.bytes);
        }

        TokenCount += tokens.shape[0];
        _parts.Add(TokenCount);
    }

    /// <remarks>
    /// Chunks end where tokens were added, as those of <see cref="TokenMatrix"/> do: sums over chunks come out the
    /// same.
    /// </remarks>
    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkTokens, 1);
        ArgumentNullException.ThrowIfNull(device);
        return Read();

        IEnumerable<Tensor> Read()
        {
            for (int part = 0; part + 1 < _parts.Count; part++)
            {
                for (long start = _parts[part]; start < _parts[part + 1]; start += chunkTokens)
                {
                    yield return Placement.MoveTo(
                        ReadRows(start, Math.Min(chunkTokens, _parts[part + 1] - start)), device);
                }
            }
        }
    }

    public Tensor Gather(ReadOnlySpan<long> indices, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        foreach (long index in indices)
        {
            if (index < 0 || index >= TokenCount)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"There are {TokenCount} tokens.");
            }
        }

        Tensor gathered = empty(indices.Length, Features, ScalarType.Float32);
        byte[] row = ArrayPool<byte>.Shared.Rent((int)RowBytes);
        try
        {
            for (int i = 0; i < indices.Length; i++)
            {
                ReadExactly(row.AsSpan(0, (int)RowBytes), indices[i] * RowBytes);
                using Tensor place = gathered.select(0, i);
                row.AsSpan(0, (int)RowBytes).CopyTo(place.bytes);
            }
        }
        catch
        {
            gathered.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(row);
        }

        return Placement.MoveTo(gathered, device);
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Spans end at 2 GiB.</summary>
    private int RowsAtOnce => (int)Math.Max(1, (1L << 28) / RowBytes);

    private Tensor ReadRows(long start, long count)
    {
        Tensor rows = empty(count, Features, ScalarType.Float32);
        int step = RowsAtOnce;
        try
        {
            for (long done = 0; done < count; done += step)
            {
                using Tensor piece = rows.narrow(0, done, Math.Min(step, count - done));
                ReadExactly(piece.bytes, (start + done) * RowBytes);
            }

            return rows;
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    private void ReadExactly(Span<byte> destination, long position)
    {
        for (int done = 0; done < destination.Length;)
        {
            int read = RandomAccess.Read(_file.SafeFileHandle, destination[done..], position + done);
            done += read > 0
                ? read
                : throw new EndOfStreamException("The file of spilled calibration tokens was truncated.");
        }
    }
}
