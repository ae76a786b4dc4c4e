using System.Text;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>One step from tokens to text.</summary>
internal delegate IReadOnlyList<string> TokenDecoder(IReadOnlyList<string> tokens);

/// <summary>Reads the "decoder" of tokenizer.json. The texts that the last step gives are joined.</summary>
internal static class DecoderReader
{
    public static TokenDecoder Read(ConfigObject? node)
    {
        if (node is null)
        {
            return tokens => [string.Join(' ', tokens)];
        }

        string type = node.RequiredString("type");
        TokenDecoder result = type switch
        {
            "Sequence" => Chain([.. node.Objects("decoders").Select(Read)]),
            "ByteLevel" => ReadByteLevel(node),
            "Replace" => Each(TextPattern.ReadReplacement(node)),
            "ByteFallback" => JoinBytes,
            "Fuse" => Fuse,
            "Strip" => ReadStrip(node),
            "Metaspace" => ReadMetaspace(node),
            _ => throw node.Error(
                "type",
                $"is '{type}'; supported are Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip and Metaspace"),
        };
        node.RequireAllUsed(TokenizerJsonReader.NoKeys);
        return result;
    }

    /// <summary>
    /// The decoder of SentencePiece models: marks become blanks, byte tokens bytes, and the mark that encoding added
    /// goes.
    /// </summary>
    /// <param name="mark">The text that stands for a blank.</param>
    /// <param name="start">True if encoding adds a mark in front.</param>
    /// <param name="end">True if it adds one at the end.</param>
    public static TokenDecoder ForSentencePiece(char mark, bool start, bool end) => Chain(
        [
            Each(token => token.Replace(mark, ' ')), JoinBytes, Fuse,
            Each(text => Strip(text, ' ', start ? 1 : 0, end ? 1 : 0)),
        ]);

    private static TokenDecoder Chain(TokenDecoder[] steps) => tokens =>
    {
        long before = tokens.Sum(token => (long)token.Length);
        return steps.Aggregate(tokens, (value, step) =>
        {
            IReadOnlyList<string> result = step(value);
            TextPattern.RequireModestGrowth(before, result.Sum(token => (long)token.Length));
            return result;
        });
    };

    private static IReadOnlyList<string> Fuse(IReadOnlyList<string> tokens) => [string.Concat(tokens)];

    private static TokenDecoder Each(Func<string, string> change) => tokens => [.. tokens.Select(change)];

    private static TokenDecoder ReadByteLevel(ConfigObject node)
    {
        node.Skip("add_prefix_space");
        node.Skip("trim_offsets");
        node.Skip("use_regex");
        return tokens => [Encoding.UTF8.GetString([.. tokens.SelectMany(ByteTokens.FromCharacters)])];
    }

    private static TokenDecoder ReadStrip(ConfigObject node)
    {
        string content = node.RequiredString("content");
        int start = node.OptionalInt("start", least: 0) ?? 0;
        int stop = node.OptionalInt("stop", least: 0) ?? 0;
        return content.Length == 1
            ? Each(text => Strip(text, content[0], start, stop))
            : throw node.Error("content", "must be one character");
    }

    private static string Strip(string text, char content, int start, int stop)
    {
        int from = 0;
        while (from < start && from < text.Length && text[from] == content)
        {
            from++;
        }

        int to = text.Length;
        while (text.Length - to < stop && to > from && text[to - 1] == content)
        {
            to--;
        }

        return text[from..to];
    }

    private static TokenDecoder ReadMetaspace(ConfigObject node)
    {
        string mark = node.RequiredString("replacement");
        bool oldPrefix = node.Bool("add_prefix_space", true);
        bool prefixed = (node.OptionalString("prepend_scheme") ?? (oldPrefix ? "always" : "never")) != "never";
        node.Skip("split");
        node.Skip("str_rep");
        return tokens => [.. tokens.Select((token, index) =>
        {
            string text = token.Replace(mark, " ", StringComparison.Ordinal);
            return prefixed && index == 0 && text.StartsWith(' ') ? text[1..] : text;
        })];
    }

    /// <summary>
    /// Runs of byte tokens become the text that they spell; where they spell none, one replacement character each.
    /// </summary>
    private static List<string> JoinBytes(IReadOnlyList<string> tokens)
    {
        var texts = new List<string>(tokens.Count);
        var bytes = new List<byte>();
        foreach (string token in tokens)
        {
            if (ByteTokens.TryParse(token, out byte value))
            {
                bytes.Add(value);
                continue;
            }

            Flush(bytes, texts);
            texts.Add(token);
        }

        Flush(bytes, texts);
        return texts;
    }

    private static void Flush(List<byte> bytes, List<string> texts)
    {
        if (bytes.Count == 0)
        {
            return;
        }

        try
        {
            texts.Add(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. bytes]));
        }
        catch (DecoderFallbackException)
        {
            texts.Add(new string('\uFFFD', bytes.Count));
        }

        bytes.Clear();
    }
}
