using SparseExpansion.Inference.Decoder;

namespace SparseExpansion.Inference;

/// <summary>
/// Runs a model: the memory for what is computed, made by <see cref="InferenceModel.CreateSession"/> and used again by
/// every call, so that decoding allocates nothing. Used by one thread at a time.
/// </summary>
public sealed unsafe class InferenceSession : IDisposable
{
    private readonly InferenceModel _model;
    private readonly DecoderPass _pass;
    private bool _disposed;

    internal InferenceSession(InferenceModel model, DecoderPass pass) => (_model, _pass) = (model, pass);

    private int Vocabulary => _model.Config.VocabularySize;

    private int Hidden => _model.Config.HiddenSize;

    /// <summary>Adds tokens to a sequence.</summary>
    /// <param name="sequence">A sequence of the same model.</param>
    /// <param name="tokens">Ids of the tokens after those that it has, at least one.</param>
    /// <returns>Logits [vocabulary] of the token after the last one, until the next call.</returns>
    /// <exception cref="ArgumentException">There are no tokens, an id is outside of the vocabulary, the model has
    /// learned fewer positions, or the sequence is of another model.</exception>
    /// <exception cref="SparseExpansionException">The model's cache has no room for so many tokens.</exception>
    /// <remarks>With LongRoPE, tokens beyond the original context change the positions of those before: truncate the
    /// sequence to 0 and read all of it again when it grows beyond.</remarks>
    public ReadOnlySpan<float> Append(InferenceSequence sequence, ReadOnlySpan<int> tokens)
    {
        int length = Begin(sequence, tokens);
        float* hidden = null;
        int count = 0;
        for (int done = 0; done < tokens.Length; done += count)
        {
            count = Math.Min(_model.ChunkTokens, tokens.Length - done);
            hidden = Run(sequence, tokens.Slice(done, count), length);
        }

        float* logits = _pass.Reserve(PassMemory.Logits, Vocabulary);
        _model.Stack.Predict(_pass, hidden + (nint)(count - 1) * Hidden, 1, logits);
        return new ReadOnlySpan<float>(logits, Vocabulary);
    }

    /// <summary>Adds tokens to a sequence, and gives the logits after each of them.</summary>
    /// <param name="sequence">A sequence of the same model.</param>
    /// <param name="tokens">Ids of the tokens after those that it has, at least one.</param>
    /// <param name="logits">[tokens · vocabulary], receives the logits.</param>
    /// <exception cref="ArgumentException">As for <see cref="Append(InferenceSequence, ReadOnlySpan{int})"/>, or the logits
    /// have another size.</exception>
    /// <exception cref="SparseExpansionException">The model's cache has no room for so many tokens.</exception>
    public void Append(InferenceSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits) =>
        Append(sequence, tokens, logits, wholeLength: 0);

    /// <summary>The same, of a text that is read in several pieces.</summary>
    /// <param name="sequence">A sequence of the same model.</param>
    /// <param name="tokens">Ids of the tokens after those that it has, at least one.</param>
    /// <param name="logits">[tokens · vocabulary], receives the logits.</param>
    /// <param name="wholeLength">Tokens that the sequence will have at last, if more: positions of LongRoPE depend on it.</param>
    internal void Append(InferenceSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits, int wholeLength)
    {
        if (logits.Length != (long)tokens.Length * Vocabulary)
        {
            throw new ArgumentException(
                $"{tokens.Length} tokens have {(long)tokens.Length * Vocabulary} logits, not {logits.Length}.", nameof(logits));
        }

        int length = Math.Max(Begin(sequence, tokens), wholeLength), count;
        for (int done = 0; done < tokens.Length; done += count)
        {
            count = Math.Min(_model.ChunkTokens, tokens.Length - done);
            float* hidden = Run(sequence, tokens.Slice(done, count), length);
            fixed (float* target = logits.Slice(done * Vocabulary, count * Vocabulary))
            {
                _model.Stack.Predict(_pass, hidden, count, target);
            }
        }
    }

    /// <summary>Adds one token to each of several sequences, which go through the model together.</summary>
    /// <param name="sequences">Different sequences of the same model, at least one.</param>
    /// <param name="tokens">The next token of each.</param>
    /// <returns>Logits [sequences · vocabulary], until the next call.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Append(InferenceSequence, ReadOnlySpan{int})"/>, or there
    /// are not as many tokens as sequences, or one sequence twice.</exception>
    /// <exception cref="SparseExpansionException">The model's cache has no room for so many tokens.</exception>
    public ReadOnlySpan<float> Step(ReadOnlySpan<InferenceSequence> sequences, ReadOnlySpan<int> tokens)
    {
        if (sequences.IsEmpty || sequences.Length != tokens.Length)
        {
            throw new ArgumentException(
                $"{sequences.Length} sequences need one token each, not {tokens.Length} in all.", nameof(tokens));
        }

        for (int i = 0; i < sequences.Length; i++)
        {
            Begin(sequences[i], tokens.Slice(i, 1));
            for (int j = 0; j < i; j++)
            {
                if (ReferenceEquals(sequences[i], sequences[j]))
                {
                    throw new ArgumentException($"Sequence {i} is sequence {j} again.", nameof(sequences));
                }
            }
        }

        _pass.Clear();
        for (int i = 0; i < sequences.Length; i++)
        {
            _pass.Add(new PassSegment(sequences[i].Cache, i, 1, sequences[i].Length + 1));
        }

        float* hidden = Run(tokens);
        float* logits = _pass.Reserve(PassMemory.Logits, (long)sequences.Length * Vocabulary);
        _model.Stack.Predict(_pass, hidden, sequences.Length, logits);
        return new ReadOnlySpan<float>(logits, checked(sequences.Length * Vocabulary));
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _disposed = true;
        _pass.Dispose();
    }

    /// <summary>Checks tokens and makes room for them; returns the length that the sequence will have.</summary>
    private int Begin(InferenceSequence sequence, ReadOnlySpan<int> tokens)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(sequence);
        if (!ReferenceEquals(sequence.Model, _model))
        {
            throw new ArgumentException("The sequence is of another model.", nameof(sequence));
        }

        if (tokens.IsEmpty)
        {
            throw new ArgumentException("There are no tokens.", nameof(tokens));
        }

        foreach (int id in tokens)
        {
            if (id < 0 || id >= Vocabulary)
            {
                throw new ArgumentException($"The id {id} is outside of the vocabulary of {Vocabulary}.", nameof(tokens));
            }
        }

        int length = checked(sequence.Length + tokens.Length);
        if (_model.Config.LearnedPositionOffset is not null && length > _model.Config.MaxPositions)
        {
            throw new ArgumentException(
                $"The sequence has {length} tokens; the model has learned {_model.Config.MaxPositions} positions. Shorten it.", nameof(tokens));
        }

        sequence.Cache.Reserve(Math.Min(tokens.Length, _model.ChunkTokens));
        return length;
    }

    private float* Run(InferenceSequence sequence, ReadOnlySpan<int> tokens, int length)
    {
        sequence.Cache.Reserve(tokens.Length);
        _pass.Clear();
        _pass.Add(new PassSegment(sequence.Cache, 0, tokens.Length, length));
        return Run(tokens);
    }

    private float* Run(ReadOnlySpan<int> tokens)
    {
        try
        {
            return _model.Stack.Run(_pass, tokens);
        }
        finally
        {
            _pass.Forget();
        }
    }
}
