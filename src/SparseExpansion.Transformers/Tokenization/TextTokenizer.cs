namespace SparseExpansion.Transformers;

/// <summary>
/// Text to token ids and back, as the model's checkpoint defines it: <c>tokenizer.json</c> with a BPE model (GPT-NeoX, Llama 3, Qwen2,
/// Llama 2 after conversion), or <c>tokenizer.model</c> (SentencePiece). Safe for use by several threads after loading.
/// </summary>
public sealed class TextTokenizer
{
    private readonly ITextCodec _codec;

    private TextTokenizer(ITextCodec codec, int? bos, int? eos) => (_codec, BosId, EosId) = (codec, bos, eos);

    /// <summary>The id that starts a text, if the tokenizer names one.</summary>
    public int? BosId { get; }

    /// <summary>The id that ends a text, if the tokenizer names one.</summary>
    public int? EosId { get; }

    /// <summary>The largest id plus one.</summary>
    public int VocabularySize => _codec.VocabularySize;

    /// <summary>Loads the tokenizer of a checkpoint folder; <c>tokenizer.json</c> goes before <c>tokenizer.model</c>.</summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <exception cref="CheckpointException">There is no tokenizer, it is malformed, or it uses something unsupported; the message names file and key.</exception>
    public static TextTokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string json = Path.Combine(folder, "tokenizer.json");
        string model = Path.Combine(folder, "tokenizer.model");
        SpecialTokens special = SpecialTokens.Read(folder);
        ITextCodec codec = Path.Exists(json) ? TokenizerJsonReader.Read(json)
            : Path.Exists(model) ? SentencePieceCodec.Load(model, special)
            : throw new CheckpointException($"{folder}: has neither tokenizer.json nor tokenizer.model; copy them from the checkpoint that the model was made of.");
        return special.AreNamed
            ? new TextTokenizer(codec, codec.FindId(special.Bos), codec.FindId(special.Eos))
            : FromModelConfig(codec, Path.Combine(folder, ModelFolder.ConfigFile));
    }

    /// <summary>Encodes a text.</summary>
    /// <param name="text">Any text; empty text gives no tokens but special ones. Lone surrogates become U+FFFD.</param>
    /// <param name="addSpecialTokens">True adds the tokens that the tokenizer puts around a text, such as the start token. Default true.</param>
    /// <returns>Token ids.</returns>
    /// <exception cref="CheckpointException">A pattern of the tokenizer takes too long or makes the text too long.</exception>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 3);
        if (addSpecialTokens)
        {
            ids.AddRange(_codec.Prefix);
        }

        _codec.Encode(UnicodeForms.WellFormed(text), ids);
        if (addSpecialTokens)
        {
            ids.AddRange(_codec.Suffix);
        }

        return ids;
    }

    /// <summary>Decodes ids.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">True leaves out tokens that the tokenizer marks as special. Default false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return _codec.Decode(ids, skipSpecialTokens);
    }

    /// <summary>False for ids between others that no token has.</summary>
    internal bool IsToken(int id) => _codec.IsToken(id);

    /// <summary>Folders with the bare tokenizer name start and end in config.json only.</summary>
    private static TextTokenizer FromModelConfig(ITextCodec codec, string path)
    {
        if (!File.Exists(path))
        {
            return new TextTokenizer(codec, null, null);
        }

        var config = new ConfigObject(JsonFile.ReadObject(path), path);
        int? eos = config.Ids("eos_token_id") is [int first, ..] ? first : null;
        return new TextTokenizer(codec, config.OptionalInt("bos_token_id", least: 0), eos);
    }
}
