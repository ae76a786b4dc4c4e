using Microsoft.ML.Tokenizers;
using SparseExpansion.Internal;

namespace SparseExpansion.Transformers;

/// <summary>A SentencePiece model, as Llama 2 and Mistral bring it.</summary>
internal sealed class SentencePieceCodec : ITextCodec
{
    private readonly SentencePieceTokenizer _tokenizer;
    private readonly HashSet<int> _special;

    private SentencePieceCodec(SentencePieceTokenizer tokenizer, SpecialTokens special)
    {
        _tokenizer = tokenizer;
        _special = [tokenizer.BeginningOfSentenceId, tokenizer.EndOfSentenceId, tokenizer.UnknownId];
        VocabularySize = tokenizer.Vocabulary.Values.Max() + 1;

        // Llama's own default: a start token, no end token.
        Prefix = special.AddBos ?? true ? [tokenizer.BeginningOfSentenceId] : [];
        Suffix = special.AddEos ? [tokenizer.EndOfSentenceId] : [];
    }

    public int VocabularySize { get; }

    public IReadOnlyList<int> Prefix { get; }

    public IReadOnlyList<int> Suffix { get; }

    public static SentencePieceCodec Load(string path, SpecialTokens special)
    {
        RegularFile.Require(path);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return new SentencePieceCodec(LlamaTokenizer.Create(stream, addBeginOfSentence: false, addEndOfSentence: false), special);
        }
        // The library reports a damaged file by whatever its protobuf reader throws.
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new CheckpointException($"{path}: is not a SentencePiece model that can be read: {PlainMessage.Of(error)}", error);
        }
    }

    public int? FindId(string? content) => content is not null && _tokenizer.Vocabulary.TryGetValue(content, out int id) ? id : null;

    public bool IsToken(int id) => id >= 0 && id < VocabularySize;

    public void Encode(string text, List<int> ids) => ids.AddRange(_tokenizer.EncodeToIds(text));

    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        List<int> kept = [.. ids];
        foreach (int id in kept)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id, nameof(ids));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize, nameof(ids));
        }

        return _tokenizer.Decode(skipSpecialTokens ? kept.Where(id => !_special.Contains(id)) : kept, considerSpecialTokens: !skipSpecialTokens);
    }
}
