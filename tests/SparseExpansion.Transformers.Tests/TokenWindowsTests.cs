using SparseExpansion.Models;
using SparseExpansion.Serialization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

public sealed class TokenWindowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FromText_Documents_AreTrimmedFramedAndJoined()
    {
        TextTokenizer tokenizer = LetterTokenizer();
        TokenWindows windows =
            TokenWindows.FromText("  ab\nc \n<|endoftext|>\r\n\n<|endoftext|>\nd<|endoftext|>a\n", tokenizer, 2);

        // Document one is "ab\nc"; the mark inside of the last line is text.
        long[] start = [8, 0, 1, 4, 2, 9, 8, 3];
        Assert.Equal(start, windows.Ids[..8].ToArray());
    }

    [Theory]
    [InlineData("\"add_bos_token\": false", new long[] { 3, 9, 0, 9 })]
    [InlineData("\"add_bos_token\": true", new long[] { 8, 3, 9, 8, 0, 9 })]
    [InlineData("\"add_bos_token\": true, \"add_eos_token\": true", new long[] { 8, 3, 9, 8, 0, 9 })]
    [InlineData("\"tokenizer_class\": \"GPTNeoXTokenizer\"", new long[] { 3, 9, 0, 9 })]
    [InlineData("\"tokenizer_class\": \"LlamaTokenizer\"", new long[] { 8, 3, 9, 8, 0, 9 })]
    public void FromText_Documents_StartAsPromptsDo(string flags, long[] expected)
    {
        TextTokenizer tokenizer = LetterTokenizer(flags);
        Assert.Equal(expected, TokenWindows.FromText("d\n<|endoftext|>\na", tokenizer, 2).Ids.ToArray());
        Assert.Equal(expected[..2].Select(id => (int)id), tokenizer.Encode("d").Append(9).Take(2));
    }

    [Fact]
    public void FromTokens_TheTailThatFillsNoWindow_IsDropped()
    {
        TokenWindows windows = TokenWindows.FromTokens([1, 2, 3, 4, 5, 6, 7], 3);
        Assert.Equal((2, 3, 1L, 6L), (windows.Count, windows.Context, windows.SmallestId, windows.LargestId));
        Assert.Equal(1, windows.Take(1).Count);
        Assert.Throws<CalibrationException>(() => TokenWindows.FromTokens([1, 2], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => TokenWindows.FromTokens([1, 2], 1));
    }

    [Fact]
    public void FromText_ThePathOfAFile_SaysSo()
    {
        string path = _folder.File("text.txt");
        File.WriteAllText(path, "abcd");
        Assert.Contains(
            "File.ReadAllText",
            Assert.Throws<CalibrationException>(() => TokenWindows.FromText(path, LetterTokenizer(), 2)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_FollowContextAndModel()
    {
        Assert.Equal(2, TokenWindows.FromTokens(new int[4096], 2048).DefaultBatchSize);
        Assert.Equal(1, TokenWindows.FromTokens(new int[8192], 8192).DefaultBatchSize);
        ModelConfig config = ModelConfig.Load(Fixture.Model(Fixture.Llama));
        Assert.Equal(256, TokenWindows.DefaultContext(config));
        Assert.Equal(2048, TokenWindows.DefaultContext(config with { MaxPositions = 100_000 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => TokenWindows.FromTokens([1, 2], 2).Batches(0));
    }

    [Fact]
    public void FromText_NoText_Throws() =>
        Assert.Throws<CalibrationException>(() => TokenWindows.FromText(" \n<|endoftext|>\n", LetterTokenizer(), 2));

    [Fact]
    public void Batches_HoldAllWindowsInOrder()
    {
        using var scope = NewDisposeScope();
        TokenWindows windows = TokenWindows.FromTokens([.. Enumerable.Range(0, 15)], 3);
        Tensor[] batches = [.. windows.Batches(2)];
        Assert.Equal([2L, 2, 1], batches.Select(batch => batch.size(0)));
        Assert.True(cat(batches).flatten().equal(TensorArithmetic.Range(15)).all().item<bool>());
        LeakCheck.NoTensorsLeft(() =>
        {
            foreach (Tensor batch in windows.Batches(2))
            {
                batch.Dispose();
            }
        });
    }

    [Fact]
    public void FromSafetensors_WrongKindOfTensor_Throws()
    {
        using Tensor floats = ones(2, 3);
        using Tensor ids = ones([2, 3], dtype: int32);
        SafetensorsWriter.Write(_folder.File("f"), [new("floats", floats), new("ids", ids)]);
        Assert.Equal(2, TokenWindows.FromSafetensors(_folder.File("f"), "ids").Count);
        Assert.Throws<CheckpointException>(() => TokenWindows.FromSafetensors(_folder.File("f"), "floats"));
        Assert.Throws<CheckpointException>(() => TokenWindows.FromSafetensors(_folder.File("f"), "missing"));
    }

    private TextTokenizer LetterTokenizer(string flags = "\"add_bos_token\": true")
    {
        File.WriteAllText(_folder.File("tokenizer.json"), """
            {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "\n": 4, "<s>": 8, "</s>": 9}, "merges": []}}
            """);
        File.WriteAllText(
            _folder.File("tokenizer_config.json"), $$"""{"bos_token": "<s>", "eos_token": "</s>", {{flags}}}""");
        return TextTokenizer.Load(_folder.Path);
    }
}
