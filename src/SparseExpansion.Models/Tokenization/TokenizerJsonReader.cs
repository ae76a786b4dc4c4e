using System.Collections.Frozen;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;
using SparseExpansion.Models.Tokenization.AddedTokens;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>
/// Reads tokenizer.json of the Hugging Face "tokenizers" library. Whatever it asks for that is not understood is an
/// error.
/// </summary>
internal static class TokenizerJsonReader
{
    /// <summary>No keys, for objects in which every key must be understood.</summary>
    public static readonly FrozenDictionary<string, KnownKey> NoKeys = KnownKeys.None;

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="named">Contents of the files beside it.</param>
    public static (TextCodec Codec, TextFrame Frame) Read(string path, SpecialTokens named)
    {
        var root = new ConfigObject(JsonFile.ReadObject(path), path);

        // Lengths are the caller's business: windows and prompts are cut by those who know the model.
        root.Skip("version");
        root.Skip("truncation");
        root.Skip("padding");
        ConfigObject node = root.Object("model") ?? throw root.Error("model", "is missing");
        Dictionary<string, int> vocabulary = BpeModelReader.ReadVocabulary(node);
        BpeModel model = BpeModelReader.Read(node, vocabulary);
        var added = new AddedTokenTable(path, vocabulary);
        added.AddOwn(root.Objects("added_tokens").Select(AddedTokenReader.Read));
        added.AddNamed(named, raw: false);
        (IReadOnlyList<int> prefix, IReadOnlyList<int> suffix) = TemplateReader.Read(root.Object("post_processor"));
        Func<string, string> normalizer = NormalizerReader.Read(root.Object("normalizer"));
        PreTokenizer preTokenizer = PreTokenizerReader.Read(root.Object("pre_tokenizer"));
        TokenDecoder decoder = DecoderReader.Read(root.Object("decoder"));
        root.RequireAllUsed(NoKeys);
        var codec = new TextCodec(model, vocabulary, added.Tokens, normalizer, preTokenizer, decoder);
        return (codec, TextFrame.OfTokenizerJson(named, codec, prefix, suffix));
    }
}
