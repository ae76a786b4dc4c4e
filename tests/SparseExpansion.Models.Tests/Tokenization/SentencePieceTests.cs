using CsCheck;
using SparseExpansion.Models.Tokenization.Pieces;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Tokenization;

public sealed class SentencePieceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EncodeAndDecode_SmallModel_MergesByScore()
    {
        TextTokenizer tokenizer = Load(Letters());

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
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": false, "add_eos_token": true}""");
        TextTokenizer tokenizer = Load(Letters());
        Assert.Equal((1, 2), (tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([8, 2], tokenizer.Encode("ab"));
    }

    [Fact]
    public void Load_ModelAlone_HasItsOwnStartAndEnd()
    {
        TextTokenizer tokenizer = Load(Letters());
        Assert.Equal((1, 2), (tokenizer.BosId, tokenizer.EosId));
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"bos_token": null, "tokenizer_class": "LlamaTokenizer"}""");
        tokenizer = Load(Letters());
        Assert.Equal((null, 2), (tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([8], tokenizer.Encode("ab"));
    }

    [Fact]
    public void Load_DamagedModel_Throws()
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), [0xFF, 0xFF, 0xFF, 1, 2, 3]);
        Assert.Throws<CheckpointException>(() => TextTokenizer.Load(_folder.Path));
        File.WriteAllBytes(_folder.File("tokenizer.model"), []);
        Assert.Throws<CheckpointException>(() => TextTokenizer.Load(_folder.Path));
    }

    [Fact]
    public void Load_ModelThatCannotBeFollowed_SaysWhy()
    {
        Refused(new SentencePieceModel { Type = 1 }.Add(-1, "a"), "type 1");
        Refused(new SentencePieceModel { Normalizer = "nmt_nfkc" }.Add(-1, "a"), "nmt_nfkc");
        Refused(new SentencePieceModel().Add(-1, "a", "a"), "'a'");
        Refused(new SentencePieceModel().Add(float.NaN, "a"), "score");

        void Refused(SentencePieceModel model, string said)
        {
            CheckpointException error = Assert.Throws<CheckpointException>(() => Load(model));
            Assert.Contains("tokenizer.model", error.Message, StringComparison.Ordinal);
            Assert.Contains(said, error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Three quotes: the first two are joined, as both pairs have the same score.</summary>
    [Fact]
    public void Encode_EqualScores_JoinsTheLeftmostFirst()
    {
        SentencePieceModel model = new SentencePieceModel().Add(-2, "▁x", "\"\"").Add(-9, "▁", "x", "\"");
        Assert.Equal(
            [model.Id("▁x"), model.Id("\"\""), model.Id("\"")], Load(model).Encode("x\"\"\"", addSpecialTokens: false));
    }

    [Fact]
    public void Encode_PiecesOfOtherKinds_AreRespected()
    {
        SentencePieceModel model = new SentencePieceModel { AddBlank = false }
            .Add(-1, "a", "b", "c", "bc").Add(SentencePieceType.UserDefined, "aba")
            .Add(SentencePieceType.Unused, 5, "ab").Add(-9, "abc", "z");
        TextTokenizer tokenizer = Load(model);

        // A fixed piece is never joined; a step of merges is parted where it ends, and used where it leads on.
        Assert.Equal(Ids("aba", "bc"), Encode("ababc"));
        Assert.Equal(Ids("a", "b"), Encode("ab"));
        Assert.Equal(Ids("abc", "a", "b"), Encode("abcab"));

        // A run of unknown characters is one token, and so is the mark of the start in the text.
        Assert.Equal([model.Id("a"), 0, model.Id("z"), 0], Encode("aéüz😀"));
        Assert.Equal([1, model.Id("z"), 0], Encode("<s>z<unk>"));

        int[] Ids(params string[] texts) => [.. texts.Select(model.Id)];
        IReadOnlyList<int> Encode(string text) => tokenizer.Encode(text, addSpecialTokens: false);
    }

    [Fact]
    public void EncodeAndDecode_Bytes_SpellWhatHasNoPiece()
    {
        TextTokenizer tokenizer = Load(new SentencePieceModel { Bytes = true }.Add(-1, "▁", "a"));
        Assert.Equal([1, 3, 4, 5 + 0xC3, 5 + 0xA9], tokenizer.Encode("aé"));
        Assert.Equal("aé 😀", tokenizer.Decode(tokenizer.Encode("aé 😀"), skipSpecialTokens: true));
    }

    [Theory]
    [InlineData(false, true, false, "  a  b ", "▁▁▁a▁▁b▁", "  a  b ")]
    [InlineData(true, true, false, "  a  b ", "▁a▁b", "a b")]
    [InlineData(false, false, false, " a", "▁a", " a")]
    [InlineData(false, true, true, "a b", "a▁b▁", "a b")]
    [InlineData(true, true, false, "   ", "", "")]
    public void Encode_Blanks_AreTreatedAsTheModelAsks(
        bool removeExtra, bool add, bool atEnd, string text, string pieces, string decoded)
    {
        SentencePieceModel model = new SentencePieceModel { RemoveExtraBlanks = removeExtra, AddBlank = add, BlankAtEnd = atEnd }.Add(-1, "▁", "a", "b");
        TextTokenizer tokenizer = Load(model);
        IReadOnlyList<int> ids = tokenizer.Encode(text, addSpecialTokens: false);
        Assert.Equal(pieces.Select(piece => model.Id(piece.ToString())), ids);
        Assert.Equal(decoded, tokenizer.Decode(ids));
    }

    /// <summary>Many pieces, few scores: most choices are between equals.</summary>
    [Fact]
    public void Encode_RandomModels_EqualsTheObviousReference() =>
        Gen.Select(Gen.String[Gen.Char["abc"], 2, 6].HashSet[1, 40], Gen.Int[1, 4], Gen.Int, Gen.String[Gen.Char["abcd "], 0, 40].Array[1, 10]).Sample(
            (unions, scores, seed, texts) =>
            {
                var random = new Random(seed);
                var byText = unions.Concat(["a", "b", "c", "▁"])
                    .ToDictionary(text => text, _ => -(float)random.Next(scores));
                var model = new SentencePieceModel();
                foreach ((string text, float score) in byText)
                {
                    model.Add(score, text);
                }

                TextTokenizer tokenizer = Load(model);
                foreach (string text in texts)
                {
                    IEnumerable<int> expected = Reference(text.Length == 0 ? "" : "▁" + text.Replace(' ', '▁'), byText)
                        .Select(piece => Math.Max(0, model.Id(piece)));
                    Assert.Equal(OneUnknownARun(expected), tokenizer.Encode(text, addSpecialTokens: false));
                }
            },
            iter: 150, threads: 1);

    /// <summary>Joins the best pair, the first of equals, until there is none.</summary>
    private static List<string> Reference(string text, Dictionary<string, float> scores)
    {
        List<string> parts = [.. text.Select(character => character.ToString())];
        while (true)
        {
            int best = -1;
            for (int i = 0; i + 1 < parts.Count; i++)
            {
                if (scores.TryGetValue(parts[i] + parts[i + 1], out float score)
                    && (best < 0 || score > scores[parts[best] + parts[best + 1]]))
                {
                    best = i;
                }
            }

            if (best < 0)
            {
                return parts;
            }

            parts[best] += parts[best + 1];
            parts.RemoveAt(best + 1);
        }
    }

    private static List<int> OneUnknownARun(IEnumerable<int> ids)
    {
        var kept = new List<int>();
        foreach (int id in ids.Where(id => id != 0 || kept is [] || kept[^1] != 0))
        {
            kept.Add(id);
        }

        return kept;
    }

    private static SentencePieceModel Letters() =>
        new SentencePieceModel().Add(-4, "▁").Add(-5, "a").Add(-6, "b").Add(-3, "ab").Add(-1, "▁a").Add(-2, "▁ab");

    private TextTokenizer Load(SentencePieceModel model)
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), model.ToArray());
        return TextTokenizer.Load(_folder.Path);
    }
}
