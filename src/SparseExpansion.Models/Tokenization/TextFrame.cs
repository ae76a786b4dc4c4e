using System.Collections.Frozen;
using SparseExpansion.Models.Tokenization.AddedTokens;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Start and end token of a tokenizer, and what it puts around a text.</summary>
/// <param name="Bos">The id that starts a text, if there is one.</param>
/// <param name="Eos">The id that ends a text, if there is one.</param>
/// <param name="Prefix">Ids put before a text.</param>
/// <param name="Suffix">Ids put after a text.</param>
internal sealed record TextFrame(int? Bos, int? Eos, IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix)
{
    /// <summary>
    /// The classes of the transformers library that put the tokens around a text by themselves, whatever the
    /// post-processor of
    /// tokenizer.json says, and whether they add a start token where the file does not say. None of them adds an end
    /// token by itself.
    /// </summary>
    private static readonly FrozenDictionary<string, bool> s_rebuilding = new Dictionary<string, bool>
    {
        ["LlamaTokenizer"] = true,
        ["CodeLlamaTokenizer"] = true,
        ["GemmaTokenizer"] = true,
        ["CohereTokenizer"] = true,
        ["GPTNeoXTokenizer"] = false,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The frame of tokenizer.json.</summary>
    /// <param name="named">Contents of the files beside it. Without a class, their flags decide if present.</param>
    /// <param name="codec">Knows the ids.</param>
    /// <param name="prefix">Token ids that the post-processor puts before a text.</param>
    /// <param name="suffix">Token ids that it puts after a text.</param>
    public static TextFrame OfTokenizerJson(
        SpecialTokens named, TextCodec codec, IReadOnlyList<int> prefix, IReadOnlyList<int> suffix)
    {
        (int? bos, int? eos) = named.AreNamed ? (codec.FindId(named.Bos), codec.FindId(named.Eos)) : named.ModelIds;
        bool? addBos = named.AddBos;
        bool? addEos = named.AddEos;
        if (named.TokenizerClass is { } type)
        {
            bool rebuilds = s_rebuilding.TryGetValue(type, out bool bosByDefault);
            addBos = rebuilds ? addBos ?? (bosByDefault ? bos is not null ? true : null : false) : null;
            addEos = rebuilds ? addEos ?? false : null;
        }

        return new TextFrame(
            bos, eos, Ids(named, "bos", addBos, bos) ?? prefix, Ids(named, "eos", addEos, eos) ?? suffix);
    }

    /// <summary>
    /// The frame of tokenizer.model: a start token and no end token where the file beside it does not say.
    /// </summary>
    /// <param name="named">Contents of the files beside it.</param>
    /// <param name="codec">Knows the ids.</param>
    /// <param name="ownBos">The model's own start token.</param>
    /// <param name="ownEos">The model's own end token.</param>
    public static TextFrame OfSentencePiece(SpecialTokens named, TextCodec codec, int? ownBos, int? ownEos)
    {
        int? bos = named.SpeaksOfBos ? codec.FindId(named.Bos) : named.ModelIds.Bos ?? ownBos;
        int? eos = named.SpeaksOfEos ? codec.FindId(named.Eos) : named.ModelIds.Eos ?? ownEos;
        return new TextFrame(
            bos, eos, Ids(named, "bos", named.AddBos ?? bos is not null, bos) ?? [],
            Ids(named, "eos", named.AddEos, eos) ?? []);
    }

    /// <summary>The token alone or nothing, as the flag says; null without a flag.</summary>
    private static IReadOnlyList<int>? Ids(SpecialTokens named, string token, bool? add, int? id) => (add, id) switch
    {
        (null, _) => null,
        (false, _) => [],
        (true, { } value) => [value],
        _ => throw new CheckpointException(
            $"{named.ConfigFile}: the key 'add_{token}_token' is true, but no file names a {token}_token that the tokenizer has; name one or set the key to false."),
    };
}
