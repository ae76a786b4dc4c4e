using System.Text.Json.Nodes;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Tokenizer files that ask for endless time or memory are refused when they do.</summary>
public sealed class HarmfulTokenizerTests : IDisposable
{
    private const string Tenfold = """{"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaaaa"}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("normalizer", "normalizers", Tenfold)]
    [InlineData("decoder", "decoders", Tenfold)]
    [InlineData("pre_tokenizer", "pretokenizers", """{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""")]
    public void Steps_ThatEachMakeTheTextLonger_AreStopped(string part, string list, string step)
    {
        TextTokenizer tokenizer = Load(json => json[part] = new JsonObject
        {
            ["type"] = "Sequence",
            [list] = new JsonArray([.. Enumerable.Range(0, 40).Select(_ => JsonNode.Parse(step))]),
        });
        long before = GC.GetAllocatedBytesForCurrentThread();
        CheckpointException error = Assert.Throws<CheckpointException>(() => tokenizer.Decode(tokenizer.Encode("aé")));
        Assert.Contains("replacements make", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32L << 20);
    }

    [Fact]
    public void Pattern_ThatBacktracksForEver_IsStoppedByName()
    {
        const string Harmful = "^(a|aa|aaa)*$";
        TextTokenizer tokenizer = Load(json => json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Split",
            ["pattern"] = new JsonObject { ["Regex"] = Harmful },
            ["behavior"] = "Isolated",
            ["invert"] = false,
        });
        CheckpointException error =
            Assert.Throws<CheckpointException>(() => tokenizer.Encode(new string('a', 60) + "b"));
        Assert.Contains(Harmful, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2147483647", "larger than any vocabulary")]
    [InlineData("99999999999", "whole number")]
    public void Vocabulary_IdOutOfRange_IsRefused(string id, string reason)
    {
        CheckpointException error =
            Assert.Throws<CheckpointException>(() => Load(json => json["model"]!["vocab"]!["a"] = JsonNode.Parse(id)));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_Twice_AreRefused() =>
        Assert.Contains("twice", Assert.Throws<CheckpointException>(() => Load(json =>
        json["model"]!["merges"]!.AsArray().Add(new JsonArray("a", "b")))).Message, StringComparison.Ordinal);

    [Fact]
    public void Text_HalfOfASurrogatePair_IsRefused()
    {
        File.WriteAllText(_folder.File("tokenizer.json"), """{"model":{"vocab":{"\ud800":1}}}""");
        Assert.Contains(
            "not Unicode", Assert.Throws<CheckpointException>(() => TextTokenizer.Load(_folder.Path)).Message,
            StringComparison.Ordinal);
    }

    private TextTokenizer Load(Action<JsonNode> change)
    {
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "fuzz", "tokenizer-byte-level.json")))!;
        change(json);
        File.WriteAllText(_folder.File("tokenizer.json"), json.ToJsonString());
        return TextTokenizer.Load(_folder.Path);
    }
}
