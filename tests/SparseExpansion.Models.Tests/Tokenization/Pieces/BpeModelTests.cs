using System.Text;
using CsCheck;

namespace SparseExpansion.Models.Tokenization.Pieces;

public sealed class BpeModelTests
{
    private static readonly string[] Alphabet = ["a", "b", "c", " ", "▁", "😀"];

    private static readonly Gen<string> Text =
        Gen.Int[0, Alphabet.Length].Select(i => i < Alphabet.Length ? Alphabet[i] : "é").Array[0, 24].Select(
            string.Concat);

    [Fact]
    public void Encode_RandomMerges_EqualsTheObviousAlgorithm() =>
        Gen.Select(Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 1000]).Array[0, 25], Text).Sample(
            (picks, text) =>
            {
                (Dictionary<string, int> vocabulary, List<(string, string)> merges) = Grow(picks);
                var model = new BpeModel(
                    vocabulary, merges, "<unk>", fuseUnknown: false, byteFallback: true, wholeWords: false);
                var ids = new List<int>();
                model.Encode(text, ids);
                Assert.Equal(Naive(text, vocabulary, merges), ids);
            },
            iter: 2000, threads: 1);

    [Theory]
    [InlineData(true, new[] { 0, 1, 0 })]
    [InlineData(false, new[] { 0, 1, 1, 0 })]
    public void Encode_UnknownCharacters_AreFusedOnlyIfAsked(bool fuse, int[] expected)
    {
        var model = new BpeModel(new() { ["a"] = 0, ["?"] = 1 }, [], "?", fuse, byteFallback: true, wholeWords: false);
        var ids = new List<int>();
        model.Encode("aéüa", ids);
        Assert.Equal(expected, ids);
    }

    [Fact]
    public void Encode_WholeWords_GoBeforeMerges()
    {
        Dictionary<string, int> vocabulary = new() { ["a"] = 0, ["b"] = 1, ["aba"] = 2 };
        Assert.Equal([2], Encode(wholeWords: true));
        Assert.Equal([0, 1, 0], Encode(wholeWords: false));

        List<int> Encode(bool wholeWords)
        {
            var ids = new List<int>();
            new BpeModel(vocabulary, [], null, false, false, wholeWords).Encode("aba", ids);
            return ids;
        }
    }

    /// <summary>A vocabulary that grows by merging two of its tokens at a time.</summary>
    private static (Dictionary<string, int> Vocabulary, List<(string Left, string Right)> Merges) Grow(
        (int Left, int Right)[] picks)
    {
        var tokens = Alphabet.ToList();
        var merges = new List<(string, string)>();
        foreach ((int left, int right) in picks)
        {
            (string, string) pair = (tokens[left % tokens.Count], tokens[right % tokens.Count]);
            string merged = pair.Item1 + pair.Item2;
            if (merged.Length <= 12 && !tokens.Contains(merged))
            {
                merges.Add(pair);
                tokens.Add(merged);
            }
        }

        tokens.Add("<unk>");
        tokens.AddRange(Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"));
        return (tokens.Select((token, id) => (token, id)).ToDictionary(item => item.token, item => item.id), merges);
    }

    private static List<int> Naive(
        string text, Dictionary<string, int> vocabulary, List<(string Left, string Right)> merges)
    {
        List<string> symbols = [.. text.EnumerateRunes().SelectMany(rune => vocabulary.ContainsKey(rune.ToString())
            ? [rune.ToString()]
            : Encoding.UTF8.GetBytes(rune.ToString()).Select(value => $"<0x{value:X2}>"))];
        while (true)
        {
            int bestAt = -1;
            int bestRank = int.MaxValue;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                int rank = merges.IndexOf((symbols[i], symbols[i + 1]));
                if (rank >= 0 && rank < bestRank)
                {
                    (bestAt, bestRank) = (i, rank);
                }
            }

            if (bestAt < 0)
            {
                return [.. symbols.Select(symbol => vocabulary[symbol])];
            }

            symbols[bestAt] += symbols[bestAt + 1];
            symbols.RemoveAt(bestAt + 1);
        }
    }
}
