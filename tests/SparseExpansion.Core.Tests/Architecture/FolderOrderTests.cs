using SparseExpansion.Testing.Folders;

namespace SparseExpansion.Architecture;

/// <summary>What the declared order of folders allows and refuses.</summary>
public sealed class FolderOrderTests
{
    private static readonly FolderOrder s_order = new(["# why", ".: Low High", "High: Base . Top", "Low: * Part Whole"]);

    [Theory]
    [InlineData("High", "Low", true)]
    [InlineData("Low", "High", false)]
    [InlineData("Low/Part", "High/Base", false)]
    [InlineData("High/Top", "High", true)]
    [InlineData("High", "High/Base", true)]
    [InlineData("High", "High/Top", false)]
    [InlineData("High/Base", "High", false)]
    [InlineData("Low", "Low/Part", true)]
    [InlineData("Low/Part", "Low", true)]
    [InlineData("Low/Part", "Low/Whole", false)]
    public void Violations_OneUse_AreThoseAgainstTheOrder(string from, string to, bool allowed) =>
        Assert.Equal(allowed, !s_order.Violations([new FolderUse(from, to, "A uses B")]).Any());

    [Fact]
    public void NeedlesslyOpen_OneDirection_NamesTheParent()
    {
        FolderUse down = new("Low/Part", "Low", "A uses B"), up = new("Low", "Low/Part", "B uses A");
        Assert.Equal(["Low"], s_order.NeedlesslyOpen([down]));
        Assert.Empty(s_order.NeedlesslyOpen([down, up]));
    }
}
