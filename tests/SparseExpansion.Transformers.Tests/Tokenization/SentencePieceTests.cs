using System.Text;
using SparseExpansion.Testing;

namespace SparseExpansion.Transformers.Tokenization;

public sealed class SentencePieceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EncodeAndDecode_SmallModel_MergesByScore()
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), MakeModel());
        TextTokenizer tokenizer = TextTokenizer.Load(_folder.Path);

        IReadOnlyList<int> ids = tokenizer.Encode("ab a");

        Assert.Equal([1, 8, 7], ids);
        Assert.Equal("ab a", tokenizer.Decode(ids, skipSpecialTokens: true));
        Assert.Equal(9, tokenizer.VocabularySize);
        Assert.Equal([8], tokenizer.Encode("ab", addSpecialTokens: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([9]));
    }

    [Fact]
    public void Load_ConfigNamesSpecialTokens_FollowsIt()
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), MakeModel());
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": false, "add_eos_token": true}""");
        TextTokenizer tokenizer = TextTokenizer.Load(_folder.Path);
        Assert.Equal((1, 2), (tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([8, 2], tokenizer.Encode("ab"));
    }

    [Fact]
    public void Load_DamagedModel_Throws()
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), [0xFF, 0xFF, 0xFF, 1, 2, 3]);
        Assert.Throws<CheckpointException>(() => TextTokenizer.Load(_folder.Path));
        File.WriteAllBytes(_folder.File("tokenizer.model"), []);
        Assert.Throws<CheckpointException>(() => TextTokenizer.Load(_folder.Path));
    }

    /// <summary>A ModelProto: pieces (1), trainer (2) of type BPE, normalizer (3) that adds a blank in front and escapes blanks.</summary>
    private static byte[] MakeModel()
    {
        (string Piece, float Score, int Type)[] pieces =
        [
            ("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -4, 1), ("a", -5, 1), ("b", -6, 1), ("ab", -3, 1), ("▁a", -1, 1), ("▁ab", -2, 1),
        ];
        var model = new List<byte>();
        foreach ((string piece, float score, int type) in pieces)
        {
            byte[] text = Encoding.UTF8.GetBytes(piece);
            Add(model, 0x0A, [0x0A, (byte)text.Length, .. text, 0x15, .. BitConverter.GetBytes(score), 0x18, (byte)type]);
        }

        Add(model, 0x12, [0x18, 2]);
        Add(model, 0x1A, [0x18, 1, 0x20, 0, 0x28, 1]);
        return [.. model];
    }

    private static void Add(List<byte> model, byte tag, byte[] content) => model.AddRange([tag, (byte)content.Length, .. content]);
}
