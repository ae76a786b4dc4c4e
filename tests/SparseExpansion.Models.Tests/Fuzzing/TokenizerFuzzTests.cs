using SparseExpansion.Models.Tokenization;
using SparseExpansion.Models.Tokenization.Pieces;
using SparseExpansion.Testing;
using SparseExpansion.Testing.Fuzzing;

namespace SparseExpansion.Models.Fuzzing;

/// <summary>Changed tokenizers: see <see cref="FuzzRun"/> for what must hold, and how to run it for longer.</summary>
public sealed class TokenizerFuzzTests : IDisposable
{
    private static readonly string[] s_texts =
        ["", " ", "the abc, é 12", "<s>a<|x|> b</s>", "\0\u0301\uD800 😀▁", new('a', 300)];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TokenizerJson_Changed_LoadsOrRefuses()
    {
        var mutator = new JsonMutator(
            "\"BPE\"", "\"Unigram\"", "\"Sequence\"", "\"ByteLevel\"", "\"Replace\"", "\"Split\"", "\"Digits\"",
            "\"Metaspace\"", "\"Prepend\"", "\"NFD\"", "\"Strip\"",
            "\"ByteFallback\"", "\"Fuse\"", "\"TemplateProcessing\"", "\"Isolated\"", "\"MergedWithNext\"",
            "\"Removed\"", "\"1\"", "\"a b\"", "[\"a\",\"b\"]", "\"<0x41>\"",
            "\"▁\"", "\"pattern\"", "\"type\"", "\"content\"", "{\"String\":\"\"}", "{\"String\":\"a\"}",
            "{\"Regex\":\"(\"}", "{\"Regex\":\"\"}", "{\"Regex\":\"a*\"}",
            "{\"Regex\":\"(?=a)\"}", "{\"Regex\":\"\\\\p{Nope}\"}", "2147483646", "\"abc\"", "\"<unk>\"", "\"ab\"");
        Run("tokenizer.json", Seeds("tokenizer-*.json"), mutator, cases: 600);
    }

    [Fact]
    public void TokenizerConfig_Changed_LoadsOrRefuses()
    {
        File.Copy(Fixtures("tokenizer-byte-level.json"), _folder.File("tokenizer.json"));
        var mutator = new JsonMutator(
            "\"bos_token\"", "\"eos_token\"", "\"</s>\"", "{\"content\":\"</s>\"}", "{\"content\":1}",
            "\"LlamaTokenizerFast\"", "\"GPTNeoXTokenizer\"", "\"add_eos_token\"",
            "\"added_tokens_decoder\"", "{\"700\":{\"content\":\"<x>\"}}",
            "{\"1\":{\"content\":\"<x>\",\"lstrip\":true}}", "\"additional_special_tokens\"", "[\"<x>\"]");
        Run("tokenizer_config.json", Seeds("tokenizer_config.json"), mutator, cases: 600);
    }

    [Fact]
    public void AddedTokens_Changed_LoadOrAreRefused()
    {
        File.Copy(Fixtures("tokenizer-byte-level.json"), _folder.File("tokenizer.json"));
        var mutator = new JsonMutator("\"<x>\"", "\"a\"", "\"\"", "0", "700", "2147483647");
        Run("added_tokens.json", ["""{"<x>": 700, "<y>": 701}"""u8.ToArray()], mutator, cases: 400);
    }

    [Fact]
    public void SentencePiece_Changed_LoadsOrRefuses()
    {
        var model = new SentencePieceModel { Bytes = true };
        model.Add(-1, "▁a", "ab", "▁", "a", "b", "the").Add(SentencePieceType.UserDefined, "12")
            .Add(SentencePieceType.Unused, "bc");
        Run("tokenizer.model", [model.ToArray()], ByteMutator.Mutate, cases: 600);
    }

    private static string Fixtures(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "fuzz", name);

    private static byte[][] Seeds(string pattern) =>
        [.. Directory.GetFiles(Fixtures("."), pattern).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    private void Run(string file, byte[][] seeds, JsonMutator mutator, int cases) =>
        Run(file, seeds, mutator.Mutate, cases);

    private void Run(string file, byte[][] seeds, Func<byte[], Random, byte[]> mutate, int cases) =>
        FuzzRun.Cases(file, seeds, mutate, bytes =>
    {
        File.WriteAllBytes(_folder.File(file), bytes);
        TextTokenizer tokenizer = TextTokenizer.Load(_folder.Path);
        Assert.True(tokenizer.VocabularySize >= 0);
        foreach (string text in s_texts)
        {
            IReadOnlyList<int> ids = tokenizer.Encode(text);
            // A template may name ids that are in no vocabulary; all others can be decoded.
            _ = tokenizer.Decode(ids.Where(tokenizer.IsToken));
            Assert.All(tokenizer.Encode(text, addSpecialTokens: false), id => Assert.True(tokenizer.IsToken(id)));
        }
    }, cases);
}
