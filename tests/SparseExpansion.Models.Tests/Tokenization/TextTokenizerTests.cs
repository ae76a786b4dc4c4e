using System.Text.Json;
using CsCheck;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Tokenization;

public sealed class TextTokenizerTests : IDisposable
{
    private const string Llama3Split = """(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ByteLevel_AnyText_ComesBack()
    {
        TextTokenizer tokenizer = Load(ByteLevel());
        Gen.String.Sample(
            text => Assert.Equal(string.Concat(text.EnumerateRunes()), tokenizer.Decode(tokenizer.Encode(text))),
            iter: 500, threads: 1);
        Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.Encode("a\uD800b")));
        Assert.Equal("a 😀 𝒜𝒷 b", tokenizer.Decode(tokenizer.Encode("a 😀 𝒜𝒷 b")));
    }

    [Fact]
    public void ByteLevel_Merges_StayInsideOfPieces()
    {
        // Id 256 is "Ġt", 257 is "th"; the pattern parts the words before their blanks.
        TextTokenizer tokenizer = Load(ByteLevel());
        Assert.Equal([Byte('a'), 256, Byte('h')], tokenizer.Encode("a th"));
        Assert.Equal([257, 256], tokenizer.Encode("th t"));
    }

    [Fact]
    public void SplitThenByteLevel_AsInLlama3_PartsNumbersByThree()
    {
        object pre = new
        {
            type = "Sequence",
            pretokenizers = new object[]
            {
                new { type = "Split", pattern = new { Regex = Llama3Split }, behavior = "Isolated", invert = false },
                new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = false },
            },
        };
        object template = new
        {
            type = "Sequence",
            processors = new object[]
            {
                new { type = "ByteLevel", add_prefix_space = true, trim_offsets = false, use_regex = true },
                new
                {
                    type = "TemplateProcessing",
                    single = new object[] { new { SpecialToken = new { id = "<s>", type_id = 0 } }, new { Sequence = new { id = "A", type_id = 0 } } },
                    pair = Array.Empty<object>(),
                    special_tokens = new Dictionary<string, object> { ["<s>"] = new { id = "<s>", ids = new[] { 300 }, tokens = new[] { "<s>" } } },
                },
            },
        };
        TextTokenizer tokenizer = Load(ByteLevel(pre, template, ["1 2", "12 3", "3 4"], ["12", "123", "34"]));
        Assert.Equal([300, 259, Byte('4')], tokenizer.Encode("1234"));
        Assert.Equal([259, Byte('4')], tokenizer.Encode("1234", addSpecialTokens: false));
    }

    [Fact]
    public void AddedTokens_AreFoundInTheText()
    {
        TextTokenizer tokenizer = Load(ByteLevel());
        Assert.Equal([Byte('a'), 300, 301, Byte('b')], tokenizer.Encode("a<s>  <pad>b"));
        Assert.Equal("a<s><pad>b", tokenizer.Decode([Byte('a'), 300, 301, Byte('b')]));
        Assert.Equal("ab", tokenizer.Decode([Byte('a'), 300, 301, Byte('b')], skipSpecialTokens: true));
        Assert.Equal(302, tokenizer.VocabularySize);
    }

    [Fact]
    public void MergesAsPairs_EqualMergesAsStrings()
    {
        string strings = ByteLevel();
        string pairs = strings.Replace("\"t h\"", "[\"t\",\"h\"]", StringComparison.Ordinal);
        Assert.NotEqual(strings, pairs);
        Assert.Equal(Load(strings).Encode("the path"), Load(pairs).Encode("the path"));
    }

    [Fact]
    public void Metaspace_First_PrefixesTheStartOnly()
    {
        var vocabulary = new Dictionary<string, int> { ["▁"] = 0, ["a"] = 1, ["▁a"] = 2, ["b"] = 3 };
        string json = JsonSerializer.Serialize(new
        {
            added_tokens = new[] { Added(9, "<x>") },
            normalizer = (object?)null,
            pre_tokenizer = new { type = "Metaspace", replacement = "▁", prepend_scheme = "first", split = false },
            post_processor = (object?)null,
            decoder = new { type = "Metaspace", replacement = "▁", prepend_scheme = "first", split = false },
            model = new { type = "BPE", vocab = vocabulary, merges = new[] { "▁ a" } },
        });
        TextTokenizer tokenizer = Load(json);
        Assert.Equal([2, 3, 2, 9, 1], tokenizer.Encode("ab a<x>a"));
        Assert.Equal("ab a", tokenizer.Decode([2, 3, 2]));
    }

    [Theory]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "Unigram")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"BertNormalizer\"}", "BertNormalizer")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\",\"extra\":1}", "extra")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}", "pattern")]
    [InlineData("\"post_processor\":null", "\"post_processor\":{\"type\":\"RobertaProcessing\"}", "RobertaProcessing")]
    [InlineData("\"use_regex\":true", "\"use_regex\":\"yes\"", "use_regex")]
    [InlineData("\"t h\"", "\"t q h\"", "merges")]
    [InlineData("\"t h\"", "\"t q\"", "merges")]
    [InlineData("\"th\":257", "\"th\":256", "id 256")]
    [InlineData("\"normalizer\":null", "\"surprise\":null", "surprise")]
    public void Load_UnsupportedPart_NamesFileAndKey(string part, string replacement, string named)
    {
        string json = ByteLevel();
        Assert.Contains(part, json, StringComparison.Ordinal);
        CheckpointException error =
            Assert.Throws<CheckpointException>(() => Load(json.Replace(part, replacement, StringComparison.Ordinal)));
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoTokenizer_Throws() => Assert.Throws<CheckpointException>(() => TextTokenizer.Load(_folder.Path));

    [Fact]
    public void Load_StartAndEnd_ComeFromTheFirstFileThatNamesThem()
    {
        string json = ByteLevel();
        File.WriteAllText(_folder.File("config.json"), """{"bos_token_id": 5, "eos_token_id": [6, 7]}""");
        Assert.Equal((5, 6), (Load(json).BosId, Load(json).EosId));
        File.WriteAllText(_folder.File("special_tokens_map.json"), """{"bos_token": {"content": "<s>"}, "eos_token": "<pad>"}""");
        Assert.Equal((300, 301), (Load(json).BosId, Load(json).EosId));
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"bos_token": null, "eos_token": "<s>"}""");
        Assert.Equal(300, Load(json).EosId);
    }

    [Fact]
    public void Decode_UnknownId_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Load(ByteLevel()).Decode([5000]));

    [Theory]
    [InlineData("NFC", "e\u0301 ﬁ", "é ﬁ")]
    [InlineData("NFD", "é ﬁ", "e\u0301 ﬁ")]
    [InlineData("NFKC", "e\u0301 ﬁ", "é fi")]
    [InlineData("NFKD", "é ﬁ", "e\u0301 fi")]
    [InlineData("NFC", "I love you \u2764\uFE0F so much.", "I love you \u2764\uFE0F so much.")]
    [InlineData("Lowercase", "\u0130 ΑΣ", "i\u0307 ασ")]
    public void Normalizer_AnyMachine_RewritesTheText(string type, string text, string expected)
    {
        string json = ByteLevel()
            .Replace("\"normalizer\":null", $"\"normalizer\":{{\"type\":\"{type}\"}}", StringComparison.Ordinal);
        TextTokenizer tokenizer = Load(json);
        Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Theory]
    [InlineData("<s>", true)]
    [InlineData("x<s>", false)]
    [InlineData("_<s>", false)]
    [InlineData("<s>1", false)]
    [InlineData("<s>²", true)]
    [InlineData("<s>\u0301", false)]
    [InlineData("<s>\u200D", false)]
    [InlineData("\U00010400<s>", false)]
    [InlineData("a <s>-", true)]
    public void SingleWord_InsideOfAWord_IsText(string text, bool found)
    {
        TextTokenizer tokenizer =
            Load(ByteLevel().Replace("\"single_word\":false", "\"single_word\":true", StringComparison.Ordinal));
        Assert.Equal(found, tokenizer.Encode(text).Contains(300));
    }

    private static int Byte(char character) => character;

    /// <summary>
    /// A byte-level tokenizer: bytes at their own values as ids, "Ġt" at 256, "th" at 257, then what is asked for.
    /// </summary>
    private static string ByteLevel(
        object? preTokenizer = null, object? postProcessor = null, string[]? merges = null, string[]? tokens = null)
    {
        var vocabulary = Enumerable.Range(0, 256).ToDictionary(value => Character(value), value => value);
        vocabulary["Ġt"] = 256;
        vocabulary["th"] = 257;
        foreach (string token in tokens ?? [])
        {
            vocabulary[token] = vocabulary.Count;
        }

        return JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = new[] { Added(300, "<s>", rstrip: true), Added(301, "<pad>") },
            normalizer = (object?)null,
            pre_tokenizer = preTokenizer ?? new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            post_processor = postProcessor,
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", vocab = vocabulary, merges = (string[])["Ġ t", "t h", .. merges ?? []] },
        });
    }

    /// <summary>GPT-2's character of a byte, written again from its description.</summary>
    private static string Character(int value)
    {
        static bool Printable(int b) => b is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
        return ((char)(Printable(value) ? value : 256 + Enumerable.Range(0, value).Count(b => !Printable(b))))
            .ToString();
    }

    private static object Added(int id, string content, bool rstrip = false) =>
        new { id, content, single_word = false, lstrip = false, rstrip, normalized = false, special = true };

    private TextTokenizer Load(string json)
    {
        File.WriteAllText(_folder.File("tokenizer.json"), json);
        return TextTokenizer.Load(_folder.Path);
    }
}
