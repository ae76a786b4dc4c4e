using SparseExpansion.Testing;

namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>
/// added_tokens.json, tokenizer_config.json and special_tokens_map.json beside either kind of tokenizer.
/// </summary>
public sealed class AddedTokenFilesTests : IDisposable
{
    private const string ChatTokens = """
        "10": {"content": "<|im_end|>", "special": true, "lstrip": false, "rstrip": false, "normalized": false, "single_word": false},
        "11": {"content": "<|im_start|>", "special": false, "lstrip": false, "rstrip": false, "normalized": false, "single_word": false}
        """;

    private readonly TemporaryFolder _folder = new();

    public AddedTokenFilesTests() => WriteModel();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tokenizer_config.json")]
    [InlineData("added_tokens.json")]
    [InlineData("both")]
    public void SentencePiece_ChatTokens_AreTokens(string where)
    {
        string decoder = where == "added_tokens.json" ? "" : "\"added_tokens_decoder\": {" + ChatTokens + "}, ";
        Write("tokenizer_config.json", "{" + decoder + """ "eos_token": "<|im_end|>", "bos_token": {"__type": "AddedToken", "content": "<s>"}}""");
        if (where != "tokenizer_config.json")
        {
            Write("added_tokens.json", """{"<|im_end|>": 10, "<|im_start|>": 11}""");
        }

        TextTokenizer tokenizer = Load();

        Assert.Equal((1, 10, 12), (tokenizer.BosId, tokenizer.EosId, tokenizer.VocabularySize));
        Assert.Equal([11, 4, 5, 10], tokenizer.Encode("<|im_start|>ab<|im_end|>", addSpecialTokens: false));
        Assert.Equal([1, 4, 2, 4], tokenizer.Encode("a</s>a"));
        Assert.True(tokenizer.IsToken(10));
        Assert.False(tokenizer.IsToken(9));
        Assert.Equal("<|im_start|> ab", tokenizer.Decode([11, 4, 5, 10], skipSpecialTokens: true));
        Assert.Equal("<|im_start|> ab<|im_end|>", tokenizer.Decode([11, 4, 5, 10]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([9]));
    }

    [Fact]
    public void SentencePiece_MapAlone_NamesStartEndAndSpecialTokens()
    {
        Write("special_tokens_map.json", """{"bos_token": "<s>", "eos_token": {"content": "<end>"}, "additional_special_tokens": ["<x>", {"content": "<y>", "lstrip": true}]}""");
        Write("added_tokens.json", """{"<end>": 7, "<x>": 8, "<y>": 9, "<z>": 10}""");
        TextTokenizer tokenizer = Load();
        Assert.Equal((1, 7), (tokenizer.BosId, tokenizer.EosId));
        Assert.Equal("<z>", tokenizer.Decode([7, 8, 9, 10], skipSpecialTokens: true));
    }

    /// <summary>A blank stands in front of every text between tokens, or of the first alone.</summary>
    [Theory]
    [InlineData("", new[] { 4, 2, 4, 5 })]
    [InlineData("\"legacy\": true", new[] { 4, 2, 4, 5 })]
    [InlineData("\"legacy\": false", new[] { 4, 2, 6, 5 })]
    [InlineData("\"legacy\": false, \"add_prefix_space\": false", new[] { 6, 2, 6, 5 })]
    [InlineData("\"add_prefix_space\": false", new[] { 6, 2, 6, 5 })]
    public void SentencePiece_Legacy_DecidesAboutBlanks(string keys, int[] expected)
    {
        Write("tokenizer_config.json", "{" + keys + "}");
        Assert.Equal(expected, Load().Encode("a</s>ab", addSpecialTokens: false));
    }

    [Fact]
    public void SentencePiece_StrippingTokens_SwallowBlanks()
    {
        Write("tokenizer_config.json", """{"added_tokens_decoder": {"7": {"content": "<x>", "lstrip": true, "rstrip": true, "normalized": true}}}""");
        Assert.Equal([4, 7, 4], Load().Encode("a  <x>  a", addSpecialTokens: false));
    }

    [Theory]
    [InlineData("""{"added_tokens_decoder": {"7": {"content": "<x>"}}}""", """{"<x>": 8}""", "'<x>'", "added_tokens.json", "tokenizer_config.json")]
    [InlineData("""{"added_tokens_decoder": {"7": {"content": "<x>"}}}""", """{"<y>": 7}""", "the id 7", "added_tokens.json", "tokenizer_config.json")]
    [InlineData("{}", """{"</s>": 7}""", "'</s>'", "added_tokens.json", "tokenizer.model")]
    [InlineData("{}", """{"<y>": 2}""", "the id 2", "added_tokens.json", "tokenizer.model")]
    [InlineData("""{"added_tokens_decoder": {"2": {"content": "<x>"}}}""", "{}", "the id 2", "tokenizer_config.json", "tokenizer.model")]
    public void Load_FilesContradictEachOther_NamesBoth(
        string config, string added, string said, string first, string second)
    {
        Write("tokenizer_config.json", config);
        Write("added_tokens.json", added);
        CheckpointException error = Assert.Throws<CheckpointException>(Load);
        Assert.All([said, first, second], part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"x": {"content": "<x>"}}}""", "'x'")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"7": "<x>"}}""", "'7'")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"7": {"content": "<x>", "single_word": 1}}}""", "single_word")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"2147483647": {"content": "<x>"}}}""", "2147483647")]
    [InlineData("tokenizer_config.json", """{"bos_token": 1}""", "bos_token")]
    [InlineData("tokenizer_config.json", """{"additional_special_tokens": [1]}""", "additional_special_tokens")]
    [InlineData("tokenizer_config.json", """{"bos_token": null, "add_bos_token": true}""", "add_bos_token")]
    [InlineData("tokenizer_config.json", """{"eos_token": "<none>", "add_eos_token": true}""", "add_eos_token")]
    [InlineData("added_tokens.json", """{"<x>": "7"}""", "<x>")]
    [InlineData("added_tokens.json", "[]", "object")]
    public void Load_MalformedFile_NamesFileAndKey(string file, string content, string named)
    {
        Write(file, content);
        CheckpointException error = Assert.Throws<CheckpointException>(Load);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TokenizerJson_TokensThatItLacks_AreAdded()
    {
        WriteJson();
        Write("tokenizer_config.json", "{\"added_tokens_decoder\": {\"2\": {\"content\": \"</s>\", \"special\": true}, " + ChatTokens + "}, \"eos_token\": \"<|im_end|>\"}");
        Write("added_tokens.json", """{"<|im_end|>": 10, "<more>": 12}""");
        TextTokenizer tokenizer = Load();
        Assert.Equal((null, 10, 13), (tokenizer.BosId, tokenizer.EosId, tokenizer.VocabularySize));
        Assert.Equal([11, 4, 10, 12, 2], tokenizer.Encode("<|im_start|>a<|im_end|><more></s>"));
        Assert.Equal("<|im_start|>a<more>", tokenizer.Decode([11, 4, 10, 12, 2], skipSpecialTokens: true));
    }

    [Fact]
    public void TokenizerJson_TokenOfItsVocabularyWithARole_IsSpecial()
    {
        WriteJson();
        Assert.Equal([0, 4], Load().Encode("<s>a"));
        Write("special_tokens_map.json", """{"bos_token": {"content": "<s>", "normalized": true}}""");
        Assert.Equal([1, 4], Load().Encode("<s>a"));
        Assert.Equal("a", Load().Decode([1, 4], skipSpecialTokens: true));
    }

    [Fact]
    public void TokenizerJson_AddedTokenWithARole_IsSpecialThoughItsDescriptionDeniesIt()
    {
        WriteJson();
        Write(
            "tokenizer_config.json",
            "{\"added_tokens_decoder\": {" + ChatTokens + "}, \"eos_token\": \"<|im_start|>\"}");
        Assert.Equal("a", Load().Decode([11, 4, 10], skipSpecialTokens: true));
    }

    [Fact]
    public void TokenizerJson_FileBesideItContradictsIt_NamesBoth()
    {
        WriteJson();
        Write("added_tokens.json", """{"</s>": 9}""");
        CheckpointException error = Assert.Throws<CheckpointException>(Load);
        Assert.All(
            ["tokenizer.json", "added_tokens.json", "'</s>'"],
            part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    /// <summary>Ids: ▁ 3, ▁a 4, b 5, a 6.</summary>
    private void WriteModel() =>
        File.WriteAllBytes(
            _folder.File("tokenizer.model"),
            new SentencePieceModel().Add(-9, "▁").Add(-1, "▁a").Add(-5, "b", "a").ToArray());

    private void WriteJson() => Write("tokenizer.json", """
        {"model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "merges": [], "vocab": {"<unk>": 0, "<s>": 1, "a": 4}},
         "added_tokens": [{"id": 2, "content": "</s>", "special": true}], "decoder": {"type": "Fuse"}}
        """);

    private void Write(string file, string content) => File.WriteAllText(_folder.File(file), content);

    private TextTokenizer Load() => TextTokenizer.Load(_folder.Path);
}
