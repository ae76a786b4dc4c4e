using SparseExpansion.Models;
using SparseExpansion.Transformers.Caching;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>
/// Keys and values of the tokens that a model has seen, so that the next ones need not compute them again.
/// Made by <see cref="CausalLanguageModel.CreateCache"/>; serves one batch of sequences of equal length, padding
/// included. Layers with a window keep the tokens that it reaches. No gradients flow into it.
/// </summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly LayerCache[] _layers;

    internal KeyValueCache(ModelConfig config, IReadOnlyList<int>? padding = null, Device? device = null)
    {
        _layers = [.. config.Layers.Select(layer => new LayerCache(layer.Window))];
        if (padding is not null)
        {
            PaddingCounts = [.. padding.Select(tokens => (long)tokens)];
            Padding = tensor(PaddingCounts, dtype: int64, device: device).DetachFromDisposeScope();
        }
    }

    /// <summary>Number of tokens that were seen, padding included.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes that the keys and values take, room for further tokens included.</summary>
    public long ByteCount => _layers.Sum(layer => layer.ByteCount);

    /// <summary>Number of tokens of padding at the beginning of each sequence, int64 [batch]; null: none.</summary>
    internal Tensor? Padding { get; private set; }

    /// <summary>The numbers of <see cref="Padding"/>, without a look at its device.</summary>
    internal long[]? PaddingCounts { get; private set; }

    internal int LayerCount => _layers.Length;

    /// <summary>Forgets tokens from the end.</summary>
    /// <param name="length">Number of tokens that remain, at most <see cref="Length"/>.</param>
    /// <exception cref="InvalidOperationException">A layer with a window has dropped tokens that would be in reach
    /// again; dispose the cache and begin anew.</exception>
    public void Truncate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        if (_layers.FirstOrDefault(layer => !layer.CanTruncate(length)) is { } short_)
        {
            throw new InvalidOperationException(
                $"A layer keeps the {short_.Window} tokens of its window only, so that the cache cannot go back from {Length} tokens to {length}; make a new one.");
        }

        Array.ForEach(_layers, layer => layer.Truncate(length));
        Length = length;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Array.ForEach(_layers, layer => layer.Dispose());
        Padding?.Dispose();
        (Padding, PaddingCounts) = (null, null);
        Length = 0;
    }

    /// <summary>
    /// Stores the newest tokens of a layer [batch, heads, tokens, features] and returns those that they may see, and
    /// their own, as views of the cache.
    /// </summary>
    /// <returns>Keys, values, and the place of the first of them in its sequence.</returns>
    internal (Tensor Keys, Tensor Values, long First) Append(int layer, Tensor keys, Tensor values) =>
        _layers[layer].Append(keys, values);

    /// <summary>Counts tokens in once all layers have stored them.</summary>
    internal void Advance(long tokens) => Length += tokens;

    /// <summary>Keeps some sequences of the batch, in the order given.</summary>
    internal void KeepRows(IEnumerable<long> rows)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long[] kept = [.. rows];
        Array.ForEach(_layers, layer => layer.KeepRows(kept));
        if (Padding is { } padding)
        {
            Padding = padding.index_select(0, tensor(kept, device: padding.device)).DetachFromDisposeScope();
            PaddingCounts = [.. kept.Select(row => PaddingCounts![row])];
            padding.Dispose();
        }
    }
}
