using System.Text.Json;
using SparseExpansion.Models;
using SparseExpansion.Testing;

namespace SparseExpansion.Transformers;

public sealed class TinyStoriesTokenizerTests
{
    private static string Folder()
    {
        string? folder = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        return folder;
    }

    [Fact]
    public void EncodeAndDecode_Reference_AgreesIdById()
    {
        string folder = Folder();
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")));
        TextTokenizer tokenizer = TextTokenizer.Load(folder);

        Assert.Equal(
            Ids(reference, "prompt_ids"), tokenizer.Encode(reference.RootElement.GetProperty("prompt").GetString()!));
        Assert.Equal(
            reference.RootElement.GetProperty("greedy_text").GetString(),
            tokenizer.Decode(Ids(reference, "greedy_ids")));
        Assert.Equal((1, 2, 2048), (tokenizer.BosId!.Value, tokenizer.EosId!.Value, tokenizer.VocabularySize));
    }

    [Fact]
    public void Windows_OfTheStories_AreTheCalibrationWindows()
    {
        string folder = Folder();
        string stories = File.ReadAllText(Path.Combine(folder, "..", "text", "tinystories.txt"));
        TokenWindows expected = TokenWindows.FromSafetensors(Path.Combine(folder, "tokens.safetensors"), "calibration");

        TokenWindows windows = TokenWindows.FromText(stories, TextTokenizer.Load(folder), 256);

        Assert.True(windows.Count >= expected.Count);
        Assert.True(expected.Ids.SequenceEqual(windows.Take(expected.Count).Ids));
    }

    [Fact]
    public void Encode_CharactersWithoutTokenOrBytes_AreOneUnknownTokenARun()
    {
        TextTokenizer tokenizer = TextTokenizer.Load(Folder());
        Assert.Equal([1, 80, 0], tokenizer.Encode("éü"));
    }

    [Fact]
    public void Encode_WholeFileAsOneText_ComesBack()
    {
        string folder = Folder();
        TextTokenizer tokenizer = TextTokenizer.Load(folder);
        string text = File.ReadAllText(Path.Combine(folder, "..", "text", "tinystories.txt"));
        HashSet<char> known =
            [.. text.Distinct().Where(c => !tokenizer.Encode(c.ToString(), addSpecialTokens: false).Contains(0))];
        text = string.Concat(text.Where(known.Contains));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false)));
    }

    private static IReadOnlyList<int> Ids(JsonDocument reference, string key) =>
        [.. reference.RootElement.GetProperty(key).EnumerateArray().Select(id => id.GetInt32())];
}
