using SparseExpansion.Cli.Analyze.Figures;
using SparseExpansion.Cli.Analyze.Report;

namespace SparseExpansion.Cli.Analyze;

public sealed class FigureTests
{
    [Fact]
    public void Spread_FewLayers_KeepsAllInOrder()
    {
        Assert.Equal(Enumerable.Range(0, 12), Figure.Spread(Enumerable.Range(0, 12).ToArray()));
        Assert.Equal("", Figure.SpreadNote(12));
    }

    [Fact]
    public void Spread_ManyLayers_DrawsFirstLastAndDifferentOnesBetween()
    {
        IReadOnlyList<int> drawn = Figure.Spread(Enumerable.Range(0, 97).ToArray());
        Assert.Equal((12, 0, 96), (drawn.Count, drawn[0], drawn[^1]));
        Assert.Equal(drawn, drawn.Distinct().Order());
        Assert.Contains("97 layers, 12", Figure.SpreadNote(97), StringComparison.Ordinal);
    }

    [Fact]
    public void InlineSvg_Ids_GetThePrefixWhereverTheyAreUsed()
    {
        string inline = InlineSvg.From(
            "<svg xmlns='http://www.w3.org/2000/svg' width='4' height='3'><clipPath id='a'/><g clip-path='url(#a)'><clipPath id='ab'/><g clip-path='url(#ab)'/></g></svg>", "x");
        Assert.Contains("id=\"xa\"", inline, StringComparison.Ordinal);
        Assert.Contains("url(#xa)", inline, StringComparison.Ordinal);
        Assert.Contains("url(#xab)", inline, StringComparison.Ordinal);
        Assert.Contains("viewBox=\"0 0 4 3\"", inline, StringComparison.Ordinal);
        Assert.DoesNotContain(" width=", inline, StringComparison.Ordinal);
    }
}
