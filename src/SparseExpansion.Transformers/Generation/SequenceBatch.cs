using System.Runtime.InteropServices;
using SparseExpansion.Models;
using SparseExpansion.Models.Configuration;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Generation;

/// <summary>
/// Sequences that a model continues together. Shorter ones are padded at the beginning. A full context, and a scaling
/// of positions that changes with the length, make the model read what is left of the sequences again.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="prompts">Tokens of each sequence, at least one.</param>
internal sealed class SequenceBatch(CausalLanguageModel model, IEnumerable<IReadOnlyList<int>> prompts) : IDisposable
{
    private readonly List<List<int>> _rows = [.. prompts.Select(prompt => prompt.ToList())];
    private KeyValueCache? _cache;

    /// <summary>The next token's logits [vocabulary] of each sequence.</summary>
    /// <remarks>Scopes belong to a thread, so none is open between two calls.</remarks>
    public float[][] NextLogits()
    {
        bool isShortened = false;
        foreach (List<int> row in _rows.Where(row => row.Count > model.Config.MaxPositions))
        {
            Shorten(row);
            isShortened = true;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor input = isShortened || _cache is null || _rows.Any(ChangesPositions) ? Begin() : Newest();
        Tensor last = model.PredictNext(input, _cache!).contiguous().cpu();
        float[] all = MemoryMarshal.Cast<byte, float>(last.bytes).ToArray();
        return [.. all.Chunk(model.Config.VocabularySize)];
    }

    /// <summary>Adds a token to a sequence; every sequence must get one before the next logits are asked for.</summary>
    public void Append(int row, int id) => _rows[row].Add(id);

    /// <summary>Keeps some of the sequences, in order.</summary>
    public void Keep(IReadOnlyList<int> rows)
    {
        if (rows.Count == _rows.Count)
        {
            return;
        }

        List<List<int>> kept = [.. rows.Select(row => _rows[row])];
        _rows.Clear();
        _rows.AddRange(kept);
        if (rows.Count > 0)
        {
            _cache?.KeepRows(rows.Select(row => (long)row));
        }
    }

    public void Dispose() => _cache?.Dispose();

    /// <summary>Drops the oldest tokens but a start token, so that half of the context is left.</summary>
    private void Shorten(List<int> row)
    {
        int start = row[0] == model.Config.BosId ? 1 : 0;
        int kept = Math.Max(1, (model.Config.MaxPositions / 2) - start);
        row.RemoveRange(start, row.Count - start - kept);
    }

    /// <summary>True if the newest token changes the angles of those before it, which are in the cache.</summary>
    private bool ChangesPositions(List<int> row) => model.Config.Layers.Any(layer =>
        layer.Rotary is { Scaling: RotaryScaling.LongRope } rotary
        && RotaryFrequencies.Regime(rotary, row.Count - 1) != RotaryFrequencies.Regime(rotary, row.Count));

    private Tensor Begin()
    {
        _cache?.Dispose();
        int longest = _rows.Max(row => row.Count);
        int[] padding = [.. _rows.Select(row => longest - row.Count)];
        _cache = model.CreateCache(padding.Any(tokens => tokens > 0) ? padding : null);
        long[] ids = [.. _rows.SelectMany((row, index) => Enumerable.Repeat(0L, padding[index]).Concat(row.Select(id => (long)id)))];
        return tensor(ids, [_rows.Count, longest], dtype: int64, device: model.Device);
    }

    private Tensor Newest() =>
        tensor([.. _rows.Select(row => (long)row[^1])], [_rows.Count, 1], dtype: int64, device: model.Device);
}
