using SparseExpansion.Testing;

namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>
/// Sources of the tokens around a text: the tokenizer class with its flags, or the post-processor of tokenizer.json.
/// </summary>
public sealed class StartAndEndTests : IDisposable
{
    private const string Template = """
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
        """;

    private const string ByteLevel = """{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]

    // These classes decide by themselves, in both directions.
    [InlineData("LlamaTokenizerFast", "true", "false", false, new[] { 1, 3 })]
    [InlineData("LlamaTokenizerFast", "false", "false", true, new[] { 3 })]
    [InlineData("LlamaTokenizer", "false", "true", true, new[] { 3, 2 })]
    [InlineData("LlamaTokenizer", null, null, false, new[] { 1, 3 })]
    [InlineData("CodeLlamaTokenizer", "true", "true", false, new[] { 1, 3, 2 })]
    [InlineData("GemmaTokenizerFast", null, "true", true, new[] { 1, 3, 2 })]
    [InlineData("CohereTokenizer", "false", null, true, new[] { 3 })]
    [InlineData("GPTNeoXTokenizer", null, null, true, new[] { 3 })]
    [InlineData("GPTNeoXTokenizerFast", "true", null, false, new[] { 1, 3 })]

    // With the others the file does.
    [InlineData("PreTrainedTokenizerFast", "false", "true", true, new[] { 1, 3 })]
    [InlineData("PreTrainedTokenizerFast", "true", null, false, new[] { 3 })]
    [InlineData("Qwen2Tokenizer", "true", null, false, new[] { 3 })]

    // Without a class the flags that are there.
    [InlineData(null, "true", null, false, new[] { 1, 3 })]
    [InlineData(null, "false", null, true, new[] { 3 })]
    [InlineData(null, null, "true", true, new[] { 1, 3, 2 })]
    [InlineData(null, null, null, true, new[] { 1, 3 })]
    [InlineData(null, null, null, false, new[] { 3 })]
    public void Encode_TokenizerJson_FollowsClassAndFlags(
        string? type, string? bos, string? eos, bool template, int[] expected)
    {
        WriteTokenizer(template);
        WriteConfig(type, bos, eos, "\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"");
        TextTokenizer tokenizer = TextTokenizer.Load(_folder.Path);
        Assert.Equal(expected, tokenizer.Encode("a"));
        Assert.Equal([3], tokenizer.Encode("a", addSpecialTokens: false));
        Assert.Equal((1, 2), (tokenizer.BosId, tokenizer.EosId));
    }

    [Fact]
    public void Encode_ClassWouldAddAStartTokenThatThereIsNot_KeepsTheTemplate()
    {
        WriteTokenizer(template: true);
        WriteConfig("LlamaTokenizer", null, null, "\"eos_token\": \"</s>\"");
        Assert.Equal([1, 3], TextTokenizer.Load(_folder.Path).Encode("a"));
    }

    [Theory]
    [InlineData("LlamaTokenizer")]
    [InlineData(null)]
    public void Load_FlagWithoutAToken_NamesTheFlag(string? type)
    {
        WriteTokenizer(template: false);
        WriteConfig(type, "true", null, "\"eos_token\": \"</s>\"");
        CheckpointException error = Assert.Throws<CheckpointException>(() => TextTokenizer.Load(_folder.Path));
        Assert.Contains(
            "tokenizer_config.json: the key 'add_bos_token' is true", error.Message, StringComparison.Ordinal);
    }

    private void WriteTokenizer(bool template) => File.WriteAllText(_folder.File("tokenizer.json"), $$$"""
        {"model": {"type": "BPE", "merges": [], "vocab": {"<s>": 1, "</s>": 2, "a": 3}}, "post_processor": {{{(template ? Template : ByteLevel)}}}}
        """);

    private void WriteConfig(string? type, string? bos, string? eos, string names)
    {
        string[] keys =
        [
            type is null ? "" : $", \"tokenizer_class\": \"{type}\"", bos is null ? "" : $", \"add_bos_token\": {bos}",
            eos is null ? "" : $", \"add_eos_token\": {eos}",
        ];
        File.WriteAllText(_folder.File("tokenizer_config.json"), "{" + names + string.Concat(keys) + "}");
    }
}
