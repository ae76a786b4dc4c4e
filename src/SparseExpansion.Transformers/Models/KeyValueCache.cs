using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>
/// Keys and values of the tokens that a model has seen, so that the next ones need not compute them again.
/// Made by <see cref="CausalLanguageModel.CreateCache"/>; serves one batch of sequences of equal length. No gradients
/// flow into it.
/// </summary>
public sealed class KeyValueCache : IDisposable
{
    private const long FirstCapacity = 64;

    private readonly Tensor?[] _keys;
    private readonly Tensor?[] _values;

    internal KeyValueCache(int layers)
    {
        _keys = new Tensor?[layers];
        _values = new Tensor?[layers];
    }

    /// <summary>Number of tokens in the cache.</summary>
    public long Length { get; private set; }

    /// <summary>Forgets tokens from the end.</summary>
    /// <param name="length">Number of tokens that remain, at most <see cref="Length"/>.</param>
    public void Truncate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor? tensor in _keys.Concat(_values))
        {
            tensor?.Dispose();
        }

        Array.Clear(_keys);
        Array.Clear(_values);
        Length = 0;
    }

    internal int LayerCount => _keys.Length;

    /// <summary>
    /// Stores the newest tokens of a layer [batch, heads, tokens, features] and returns all, as views of the cache.
    /// </summary>
    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        long total = Length + keys.size(2);
        Store(ref _keys[layer], keys, total);
        Store(ref _values[layer], values, total);
        return (_keys[layer]!.narrow(2, 0, total), _values[layer]!.narrow(2, 0, total));
    }

    /// <summary>Counts tokens in once all layers have stored them.</summary>
    internal void Advance(long tokens) => Length += tokens;

    private void Store(ref Tensor? buffer, Tensor newest, long total)
    {
        if (buffer is not null && buffer.size(0) != newest.size(0))
        {
            throw new ArgumentException(
                $"The cache holds a batch of {buffer.size(0)} sequences; the input has {newest.size(0)}.");
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (buffer is null || buffer.size(2) < total)
        {
            Grow(ref buffer, newest, total);
        }

        buffer!.narrow(2, Length, newest.size(2)).copy_(newest);
    }

    private void Grow(ref Tensor? buffer, Tensor like, long total)
    {
        long capacity = Math.Max(FirstCapacity, buffer is null ? total : 2 * total);
        Tensor larger = empty([like.size(0), like.size(1), capacity, like.size(3)], like.dtype, like.device)
            .DetachFromDisposeScope();
        if (buffer is not null)
        {
            larger.narrow(2, 0, Length).copy_(buffer.narrow(2, 0, Length));
            buffer.Dispose();
        }

        buffer = larger;
    }
}
