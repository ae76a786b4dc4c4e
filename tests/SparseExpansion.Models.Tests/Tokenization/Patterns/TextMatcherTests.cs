using System.Text.Json;
using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>Patterns cut where Oniguruma cuts; the reference is what the Rust implementation made of them.</summary>
public sealed class TextMatcherTests
{
    [Fact]
    public void PreTokenizers_OfTheReference_CutAlike()
    {
        JsonElement[] cases = [.. ReferenceFixtures.Read("patterns.json").EnumerateArray()];
        Assert.True(cases.Length > 500);
        Assert.All(cases.Where(item => item[2].ValueKind == JsonValueKind.Array), item =>
            Assert.Equal(
                item[2].EnumerateArray().Select(piece => piece.GetString()), Cut(item[0], item[1].GetString()!)));
    }

    [Fact]
    public void Patterns_ThatTheReferenceRefuses_AreErrors()
    {
        JsonElement[] cases = [.. ReferenceFixtures.Read("patterns.json").EnumerateArray().Where(item => item[2].ValueKind == JsonValueKind.Null)];
        Assert.True(cases.Length > 20);
        Assert.All(cases, item => Assert.Contains("pattern", Assert.Throws<CheckpointException>(() => Cut(item[0], "a")).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Sets_OfTheReference_HoldTheSameCharacters() =>
        Assert.All(ReferenceFixtures.Read("sets.json").EnumerateArray(), item =>
    {
        string pattern = item[0].GetString()!;
        var matcher = new TextMatcher(pattern);
        (long count, long sum) = (0, 0);
        foreach (int first in Enumerable.Range(0, 0x110).Select(block => block << 12))
        {
            IEnumerable<int> codes = Enumerable.Range(first, 0x1000).Where(code => code is < 0xD800 or > 0xDFFF);
            string text = string.Concat(codes.Select(char.ConvertFromUtf32));
            foreach ((int start, _) in matcher.Matches(text))
            {
                count++;
                sum += char.ConvertToUtf32(text, start);
            }
        }

        Assert.Equal((pattern, item[1].GetInt64(), item[2].GetInt64()), (pattern, count, sum));
    });

    [Theory]
    [InlineData(@"(a)\1", "references to groups")]
    [InlineData(@"\X", @"uses \X")]
    [InlineData(@"\Ka", @"uses \K")]
    [InlineData(@"\Ga", @"uses \G")]
    [InlineData(@"\p{InGreek}", @"uses \p{InGreek}")]
    [InlineData("(?~a)", "(?~…)")]
    [InlineData("(?(1)a|b)", "(?(…)")]
    [InlineData(@"\cA", @"uses \c")]
    [InlineData("[z-a]", "range whose end is before its start")]
    [InlineData("(", "without its closing parenthesis")]
    public void Pattern_Unsupported_IsNamedWithFileAndKey(string pattern, string reason)
    {
        string message = Assert.Throws<CheckpointException>(() => Cut(JsonSerializer.SerializeToElement(Split(pattern)), "a")).Message;
        Assert.Contains("tokenizer.json", message, StringComparison.Ordinal);
        Assert.Contains("pattern", message, StringComparison.Ordinal);
        Assert.Contains(pattern, message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pattern_OfAnySize_IsCompiledSoonOrRefused()
    {
        Assert.Throws<PatternException>(() => new TextMatcher(new string('a', 1 << 17)));
        Assert.Throws<PatternException>(() => new TextMatcher(new string('(', 5000)));
        Assert.Throws<PatternException>(() => new TextMatcher(new string('[', 5000)));
        Assert.Throws<PatternException>(() => new TextMatcher(string.Concat(Enumerable.Repeat(@"[\P{Han}]", 7000))));
        Assert.Throws<PatternException>(() => new TextMatcher(
            string.Concat(Enumerable.Range(0, 3000).Select(i => char.ConvertFromUtf32(0x20000 + (2 * i))))));
        Assert.Throws<PatternException>(() => new TextMatcher("(?i:" + new string('s', 100) + ")"));
    }

    [Fact]
    public void Replace_CharactersBeyondTheBasicPlane_AreOneEach()
    {
        Assert.Equal(
            "x.x.", new TextMatcher("[\U00010400-\U0001044F\U0001F642]").Replace("\U00010400.\U0001F642.", "x"));
        Assert.Equal("a\U0001F643b", new TextMatcher(@"\p{L}{3}|\x{1F642}+").Replace("a\U0001F643b", "x"));
        Assert.Equal("xx", new TextMatcher("..").Replace("\U0001F642\U0001F643ab", "x"));
    }

    private static object Split(string pattern) =>
        new { type = "Split", pattern = new { Regex = pattern }, behavior = "Isolated", invert = false };

    private static IEnumerable<string> Cut(JsonElement preTokenizer, string text)
    {
        var root =
            new ConfigObject(JsonSerializer.SerializeToElement(new { pre_tokenizer = preTokenizer }), "tokenizer.json");
        return PreTokenizerReader.Read(root.Object("pre_tokenizer"))(text, true);
    }
}
