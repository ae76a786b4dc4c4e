using SparseExpansion.Testing;

namespace SparseExpansion.Models.Generation;

/// <summary>
/// Text in pieces, with the byte-level tokenizer of the sample's model: it knows no character outside of ASCII as one
/// token.
/// </summary>
public sealed class TextPiecesTests
{
    private static readonly TextTokenizer s_tokenizer =
        TextTokenizer.Load(Path.Combine(Repository.Root, "samples", "QuickStart", "model"));

    [Theory]
    [InlineData("plain words")]
    [InlineData("na\u00efve caf\u00e9")]
    [InlineData("\u65e5\u672c\u8a9e")]
    [InlineData("a \U0001F600\U0001F680 b")]
    public void Add_CharactersSpanTokens_ComeWhole(string text)
    {
        int[] ids = [.. s_tokenizer.Encode(text, addSpecialTokens: false)];
        var pieces = new TextPieces(s_tokenizer, s_tokenizer.Encode("Once"));

        string[] given = [.. ids.Select(pieces.Add), pieces.Rest()];

        Assert.Equal(text, string.Concat(given));
        Assert.All(given, piece =>
        {
            Assert.DoesNotContain('\uFFFD', piece);
            Assert.False(piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1])));
        });
    }

    [Fact]
    public void Rest_CharacterStaysIncomplete_IsShownAsSuch()
    {
        int[] ids = [.. s_tokenizer.Encode("x\u65e5", addSpecialTokens: false)];
        var pieces = new TextPieces(s_tokenizer, []);

        string[] given = [.. ids[..^1].Select(pieces.Add)];

        Assert.Equal("x", string.Concat(given));
        Assert.Equal('\uFFFD', Assert.Single(pieces.Rest().Distinct()));
    }
}
