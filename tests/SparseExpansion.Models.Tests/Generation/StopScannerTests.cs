using CsCheck;

namespace SparseExpansion.Models.Generation;

public sealed class StopScannerTests
{
    private static readonly Gen<string> s_text =
        Gen.Char["ab"].Array[0, 30].Select(characters => new string(characters));
    private static readonly Gen<string[]> s_stops =
        Gen.Char["ab"].Array[1, 6].Select(characters => new string(characters)).Array[0, 3];

    [Theory]
    [InlineData("one END two", "END", "one ")]
    [InlineData("one EN", "END", "one EN")]
    [InlineData("END", "END", "")]
    [InlineData("aab", "ab", "a")]
    [InlineData("", "x", "")]
    public void Take_AllAtOnce_EndsBeforeTheStop(string text, string stop, string expected) =>
        Assert.Equal(expected, Through([text], [stop]));

    [Fact]
    public void Take_SeveralStops_FirstToBeCompleteCounts()
    {
        Assert.Equal("xab", Through(["xabcd"], ["abcde", "cd"]));
        Assert.Equal("x", Through(["xabcd"], ["cd", "abcd"]));
    }

    [Fact]
    public void Take_StopSpansPieces_NoPartOfItIsGiven()
    {
        var scanner = new StopScanner(["</s>"]);
        Assert.Equal(
            ("a", "", "", ""), (scanner.Take("a<"), scanner.Take("/"), scanner.Take("s"), scanner.Take("> b")));
        Assert.True(scanner.Stopped);
        Assert.Equal("", scanner.Rest());
    }

    [Fact]
    public void Take_WhatWaitsIsNoStop_IsGivenThen()
    {
        var scanner = new StopScanner(["</s>"]);
        Assert.Equal(("a", "</i>", "<"), (scanner.Take("a</"), scanner.Take("i><"), scanner.Rest()));
        Assert.False(scanner.Stopped);
    }

    /// <summary>Letter by letter, with the plainest of searches.</summary>
    [Fact]
    public void Take_AnyPieces_EndsWhereThePlainSearchDoes() =>
        Gen.Select(s_text, s_stops, Gen.Int[1, 7]).Sample((text, stops, size) =>
        {
            string expected = text;
            for (int end = 1; end <= text.Length && expected == text; end++)
            {
                string[] complete = [.. stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal))];
                expected = complete.Length > 0 ? text[..(end - complete.Max(stop => stop.Length))] : text;
            }

            Assert.Equal(expected, Through(text.Chunk(size).Select(piece => new string(piece)), stops));
        });

    private static string Through(IEnumerable<string> pieces, string[] stops)
    {
        var scanner = new StopScanner(stops);
        string given = "";
        foreach (string piece in pieces)
        {
            given += scanner.Take(piece);
            if (scanner.Stopped)
            {
                return given;
            }
        }

        return given + scanner.Rest();
    }
}
