using System.Runtime.InteropServices;
using SparseExpansion.Models;
using SparseExpansion.Models.Generation;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Generation;

/// <summary>
/// Sequences that a model continues together. Shorter ones are padded at the beginning. A full context, and a scaling
/// of positions that changes with the length, make the model read what is left of the sequences again.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="prompts">Tokens of each sequence, at least one.</param>
internal sealed class SequenceBatch(CausalLanguageModel model, IEnumerable<IReadOnlyList<int>> prompts) : ISequenceBatch
{
    private readonly List<List<int>> _rows = [.. prompts.Select(prompt => prompt.ToList())];
    private KeyValueCache? _cache;
    private float[] _logits = [];

    /// <inheritdoc/>
    /// <remarks>Scopes belong to a thread, so none is open between two calls.</remarks>
    public void Advance()
    {
        bool isShortened = false;
        foreach (List<int> row in _rows)
        {
            isShortened |= TextContext.Shorten(row, model.Config);
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        bool isNew = isShortened || _cache is null || _rows.Any(row => TextContext.ChangesPositions(row, model.Config));
        Tensor input = isNew ? Begin() : Newest();
        Tensor last = model.PredictNext(input, _cache!).contiguous().cpu();
        _logits = MemoryMarshal.Cast<byte, float>(last.bytes).ToArray();
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Logits(int row) =>
        _logits.AsSpan(row * model.Config.VocabularySize, model.Config.VocabularySize);

    /// <inheritdoc/>
    public void Append(int row, int id) => _rows[row].Add(id);

    /// <inheritdoc/>
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
