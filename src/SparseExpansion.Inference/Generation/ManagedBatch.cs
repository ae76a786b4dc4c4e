using System.Runtime.InteropServices;
using SparseExpansion.Models.Generation;

namespace SparseExpansion.Inference.Generation;

/// <summary>Texts that a model continues together, each with a cache of its own: no text needs padding.</summary>
internal sealed class ManagedBatch : ISequenceBatch
{
    private readonly InferenceModel _model;
    private readonly InferenceSession _session;
    private readonly List<List<int>> _texts;
    private readonly List<InferenceSequence> _sequences = [];
    private readonly List<InferenceSequence> _stepping = [];
    private readonly List<int> _newest = [];
    private readonly List<int> _rows = [];
    private float[] _logits = [];

    /// <param name="model">The model.</param>
    /// <param name="prompts">Tokens of each text, at least one.</param>
    public ManagedBatch(InferenceModel model, IReadOnlyList<IReadOnlyList<int>> prompts)
    {
        _model = model;
        _texts = [.. prompts.Select(prompt => prompt.ToList())];
        _session = model.CreateSession();
        foreach (IReadOnlyList<int> _ in prompts)
        {
            _sequences.Add(model.CreateSequence());
        }
    }

    private int Vocabulary => _model.Config.VocabularySize;

    /// <inheritdoc/>
    public void Advance()
    {
        if (_logits.Length < _texts.Count * Vocabulary)
        {
            _logits = new float[checked(_texts.Count * Vocabulary)];
        }

        _stepping.Clear();
        _newest.Clear();
        _rows.Clear();
        for (int row = 0; row < _texts.Count; row++)
        {
            if (MustRead(row))
            {
                Read(row);
            }
            else
            {
                _stepping.Add(_sequences[row]);
                _newest.Add(_texts[row][^1]);
                _rows.Add(row);
            }
        }

        if (_rows.Count > 0)
        {
            Step();
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Logits(int row) => _logits.AsSpan(row * Vocabulary, Vocabulary);

    /// <inheritdoc/>
    public void Append(int row, int id) => _texts[row].Add(id);

    /// <inheritdoc/>
    public void Keep(IReadOnlyList<int> rows)
    {
        if (rows.Count == _texts.Count)
        {
            return;
        }

        List<int>[] texts = [.. rows.Select(row => _texts[row])];
        InferenceSequence[] sequences = [.. rows.Select(row => _sequences[row])];
        foreach (InferenceSequence ended in _sequences.Except(sequences))
        {
            ended.Dispose();
        }

        _texts.Clear();
        _texts.AddRange(texts);
        _sequences.Clear();
        _sequences.AddRange(sequences);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sequences.ForEach(sequence => sequence.Dispose());
        _session.Dispose();
    }

    /// <summary>True unless the newest token is all that the model has not read.</summary>
    private bool MustRead(int row)
    {
        List<int> text = _texts[row];
        InferenceSequence sequence = _sequences[row];
        if (TextContext.Shorten(text, _model.Config)
            || (sequence.Length > 0 && TextContext.ChangesPositions(text, _model.Config)))
        {
            sequence.Truncate(0);
        }

        return text.Count - sequence.Length != 1;
    }

    private void Read(int row)
    {
        ReadOnlySpan<int> text = CollectionsMarshal.AsSpan(_texts[row]);
        _session.Append(_sequences[row], text[_sequences[row].Length..]).CopyTo(_logits.AsSpan(row * Vocabulary, Vocabulary));
    }

    private void Step()
    {
        ReadOnlySpan<float> logits = _session.Step(CollectionsMarshal.AsSpan(_stepping), CollectionsMarshal.AsSpan(_newest));
        for (int i = 0; i < _rows.Count; i++)
        {
            logits.Slice(i * Vocabulary, Vocabulary).CopyTo(_logits.AsSpan(_rows[i] * Vocabulary, Vocabulary));
        }
    }
}
