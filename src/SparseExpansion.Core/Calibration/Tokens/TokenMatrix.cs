using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>Tokens that lie in memory as one or more matrices: the plain <see cref="ITokenSource"/>.</summary>
/// <remarks>Holds the tensors given, which must outlive it, and does not dispose them.</remarks>
public sealed class TokenMatrix : ITokenSource
{
    private readonly Tensor[] _parts;
    private readonly TokenPlaces _places;

    /// <summary>Wraps matrices, one after the other.</summary>
    /// <param name="parts">Tensors [tokens, features], float32, each on any device. Parts without tokens are
    /// allowed.</param>
    /// <exception cref="ArgumentException">No part, or shapes or dtypes that do not fit.</exception>
    public TokenMatrix(params IEnumerable<Tensor> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        _parts = [.. parts];
        if (_parts.Length == 0)
        {
            throw new ArgumentException("A token matrix needs at least one part.", nameof(parts));
        }

        for (int i = 0; i < _parts.Length; i++)
        {
            if (_parts[i] is not { } part || part.dim() != 2 || part.dtype != ScalarType.Float32
                || part.shape[1] != _parts[0].shape[1])
            {
                throw new ArgumentException(
                    "Every part must be a float32 matrix [tokens, features] as wide as the first, "
                    + $"but part {i} is {Describe(_parts[i])} "
                    + $"and the first is {Describe(_parts[0])}.", nameof(parts));
            }
        }

        _places = new TokenPlaces([.. _parts.Select(part => part.shape[0])]);
        Features = checked((int)_parts[0].shape[1]);
    }

    /// <inheritdoc/>
    public long TokenCount => _places.TokenCount;

    /// <inheritdoc/>
    public int Features { get; }

    /// <inheritdoc/>
    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkTokens, 1);
        ArgumentNullException.ThrowIfNull(device);
        return Read();

        IEnumerable<Tensor> Read()
        {
            foreach (Tensor part in _parts)
            {
                for (long start = 0; start < part.shape[0]; start += chunkTokens)
                {
                    yield return Placement.MoveTo(
                        part.slice(0, start, Math.Min(start + chunkTokens, part.shape[0]), 1), device);
                }
            }
        }
    }

    /// <inheritdoc/>
    public Tensor Gather(ReadOnlySpan<long> indices, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor gathered = empty(indices.Length, Features, ScalarType.Float32, _parts[0].device);
        foreach (IGrouping<int, (int Part, long Row, int Position)> group in _places.Find(indices).GroupBy(entry => entry.Part))
        {
            Tensor part = _parts[group.Key];
            Tensor rows = tensor(group.Select(entry => entry.Row).ToArray(), device: part.device);
            Tensor positions = tensor(group.Select(entry => (long)entry.Position).ToArray(), device: gathered.device);
            gathered.index_copy_(0, positions, part.index_select(0, rows).to(gathered.device));
        }

        return gathered.to(device).MoveToOuterDisposeScope();
    }

    private static string Describe(Tensor? part) =>
        part is null ? "null" : TensorText.Of(part);
}
