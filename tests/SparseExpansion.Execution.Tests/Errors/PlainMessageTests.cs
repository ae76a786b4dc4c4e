namespace SparseExpansion.Execution.Errors;

public sealed class PlainMessageTests
{
    [Fact]
    public void Of_WrongArgument_LeavesTheParameterOut()
    {
        Assert.Equal(
            "The prompt has no tokens.", PlainMessage.Of(new ArgumentException("The prompt has no tokens.", "prompt")));
        Assert.Equal("Without a name.", PlainMessage.Of(new ArgumentException("Without a name.")));
    }

    [Fact]
    public void Of_OptionOutOfRange_NamesItOnce()
    {
        Assert.Equal(
            "TopK: must be at least 1, or null.",
            PlainMessage.Of(new ArgumentOutOfRangeException("TopK", 0, "Must be at least 1, or null.")));
        var named = Assert.Throws<ArgumentOutOfRangeException>(
            () => ArgumentOutOfRangeException.ThrowIfLessThan(0, 1, "Experts"));
        Assert.Equal("Experts ('0') must be greater than or equal to '1'.", PlainMessage.Of(named));
    }

    [Fact]
    public void Of_NativeError_IsItsFirstLine() =>
        Assert.Equal(
            "Sizes do not match",
            PlainMessage.Of(new InvalidOperationException("Sizes do not match\n  at frame 1\n  at frame 2")));

    [Theory]
    [InlineData("The packed weight is damaged.", "the packed weight is damaged.")]
    [InlineData("A mask is too wide.", "a mask is too wide.")]
    [InlineData("Pruner 'mine' failed.", "pruner 'mine' failed.")]
    [InlineData("Float32 is not supported.", "Float32 is not supported.")]
    [InlineData("LinearRouter is disposed.", "LinearRouter is disposed.")]
    [InlineData("JSON is expected.", "JSON is expected.")]
    [InlineData("Experts ('0') must be greater.", "Experts ('0') must be greater.")]
    [InlineData("'<' is an invalid start.", "'<' is an invalid start.")]
    [InlineData("Damaged", "Damaged")]
    [InlineData("", "")]
    public void Clause_AnyMessage_BeginsSmallUnlessByAName(string message, string expected) =>
        Assert.Equal(expected, PlainMessage.Clause(new CheckpointException(message)));
}
