using SparseExpansion.Models.Tokenization;
using SparseExpansion.Models.Tokenization.AddedTokens;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models;

/// <summary>
/// Text to token ids and back, as the model's checkpoint defines it: <c>tokenizer.json</c> with a BPE model (GPT-NeoX,
/// Llama 3, Qwen2, Llama 2 after conversion), or <c>tokenizer.model</c> (SentencePiece). Safe for use by several
/// threads after loading.
/// </summary>
public sealed class TextTokenizer
{
    private readonly TextCodec _codec;
    private readonly TextFrame _frame;

    private TextTokenizer(TextCodec codec, TextFrame frame) => (_codec, _frame) = (codec, frame);

    /// <summary>
    /// The id that starts a text, if the tokenizer names one; whether texts get it is said by <see cref="Encode"/>.
    /// </summary>
    public int? BosId => _frame.Bos;

    /// <summary>The id that ends a text, if the tokenizer names one.</summary>
    public int? EosId => _frame.Eos;

    /// <summary>The largest id plus one.</summary>
    public int VocabularySize => _codec.VocabularySize;

    /// <summary>
    /// Loads the tokenizer of a checkpoint folder; <c>tokenizer.json</c> goes before <c>tokenizer.model</c>. Further
    /// tokens, start and end are read from <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and
    /// <c>added_tokens.json</c>; where neither of the first two is there, start and end are those of
    /// <c>config.json</c>.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <exception cref="CheckpointException"> There is no tokenizer, it is malformed, it uses something unsupported, or
    /// files contradict each other; the message names file and key.
    /// </exception>
    public static TextTokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string json = Path.Combine(folder, "tokenizer.json");
        string model = Path.Combine(folder, "tokenizer.model");
        SpecialTokens named = SpecialTokensReader.Read(folder);
        (TextCodec codec, TextFrame frame) = Path.Exists(json) ? TokenizerJsonReader.Read(json, named)
            : Path.Exists(model) ? SentencePieceReader.Read(model, named)
            : throw new CheckpointException($"{folder}: has neither tokenizer.json nor tokenizer.model; copy them from the checkpoint that the model was made of.");
        return new TextTokenizer(codec, frame);
    }

    /// <summary>Encodes a text.</summary>
    /// <param name="text">Any text; empty text gives no tokens but special ones. Lone surrogates become U+FFFD.</param>
    /// <param name="addSpecialTokens"> True adds the tokens that the tokenizer puts around a text, such as the start
    /// token. Default true. With <c>tokenizer.model</c>, and with the tokenizer classes of Llama, Code Llama, Gemma,
    /// Cohere and GPT-NeoX, they are decided by <c>add_bos_token</c> and <c>add_eos_token</c> of
    /// <c>tokenizer_config.json</c>; with other classes by the "post_processor" of <c>tokenizer.json</c>.
    /// </param>
    /// <returns>Token ids.</returns>
    /// <exception cref="CheckpointException">A pattern of the tokenizer takes too long or makes the text too
    /// long.</exception>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 3);
        if (addSpecialTokens)
        {
            ids.AddRange(_frame.Prefix);
        }

        _codec.Encode(UnicodeForms.WellFormed(text), ids);
        if (addSpecialTokens)
        {
            ids.AddRange(_frame.Suffix);
        }

        return ids;
    }

    /// <summary>Decodes ids.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">True leaves out tokens that the tokenizer marks as special. Default
    /// false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return _codec.Decode(ids, skipSpecialTokens);
    }

    /// <summary>False for ids between others that no token has.</summary>
    internal bool IsToken(int id) => _codec.IsToken(id);

    /// <summary>
    /// Appends the ids of a document: what <see cref="Encode"/> gives, and the end token if it is not among them.
    /// </summary>
    internal void EncodeDocument(string text, List<int> ids)
    {
        ids.AddRange(Encode(text));
        if (EosId is { } eos && !_frame.Suffix.Contains(eos))
        {
            ids.Add(eos);
        }
    }
}
