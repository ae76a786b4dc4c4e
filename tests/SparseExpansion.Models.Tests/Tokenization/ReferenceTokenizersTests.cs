using System.Text.Json;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Tokenization;

/// <summary>
/// The ids of published tokenizers are those that the Rust implementation gives (see Fixtures/README.md).
/// </summary>
public sealed class ReferenceTokenizersTests : IDisposable
{
    private const string FullTokenizers = "SPARSE_EXPANSION_TOKENIZERS";

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names =>
        [.. Directory.GetFiles(ReferenceFixtures.Folder, "*.json.gz").Select(file => Path.GetFileName(file)).Order()];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_HardTexts_GivesTheIdsOfTheReference(string name)
    {
        JsonElement fixture = ReferenceFixtures.Read(name);
        File.WriteAllText(_folder.File("tokenizer.json"), fixture.GetProperty("tokenizer").GetRawText());
        TextTokenizer tokenizer = TextTokenizer.Load(_folder.Path);
        string[] texts = [.. ReferenceFixtures.Read("strings.json").EnumerateArray().Select(text => text.GetString()!)];
        int[][] expected = [.. fixture.GetProperty("ids").EnumerateArray().Select(ReferenceFixtures.Ids)];
        Assert.True(texts.Length >= 150);
        Assert.Equal(texts.Length, expected.Length);
        Assert.All(texts.Zip(expected), pair => Assert.Equal(pair.Second, tokenizer.Encode(pair.First)));
    }

    /// <summary>Published tokenizers are too large to be kept here; tests/tokenizers/renew.sh fetches them.</summary>
    [Fact]
    public void Encode_WithFullTokenizers_GivesTheIdsOfTheReference()
    {
        string? root = Environment.GetEnvironmentVariable(FullTokenizers);
        Assert.SkipWhen(root is null, $"{FullTokenizers} names no folder");
        string[] folders = Directory.GetDirectories(root!);
        Assert.NotEmpty(folders);
        Assert.All(folders, folder =>
        {
            TextTokenizer tokenizer = TextTokenizer.Load(folder);
            using JsonDocument expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "expected.json")));
            Assert.All(
                expected.RootElement.EnumerateArray(),
                item => Assert.Equal(ReferenceFixtures.Ids(item[1]), tokenizer.Encode(item[0].GetString()!)));
        });
    }
}
