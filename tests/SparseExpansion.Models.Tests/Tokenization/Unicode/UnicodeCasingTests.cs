namespace SparseExpansion.Models.Tokenization.Unicode;

public sealed class UnicodeCasingTests
{
    [Theory]
    [InlineData("HELLO", "hello")]
    [InlineData("\u0130stanbul I", "i\u0307stanbul i")]
    [InlineData("ΟΔΟΣ Σ", "οδοσ σ")]
    [InlineData("ẞ Ǆ ǅ Ⓐ Ⅷ K", "ß ǆ ǆ ⓐ ⅷ k")]
    [InlineData("\U00010400\U0001E900", "\U00010428\U0001E922")]
    public void ToLower_Characters_HaveTheirFullMapping(string text, string expected) =>
        Assert.Equal(expected, UnicodeCasing.ToLower(text));

    [Fact]
    public void ToLower_TextWithoutCapitals_IsTheSameInstance()
    {
        const string Text = "é漢字 🙂 lower";
        Assert.Same(Text, UnicodeCasing.ToLower(Text));
    }
}
