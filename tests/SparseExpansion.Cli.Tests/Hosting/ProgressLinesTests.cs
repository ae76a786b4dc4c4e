namespace SparseExpansion.Cli.Hosting;

public sealed class ProgressLinesTests : IDisposable
{
    private readonly StringWriter _writer = new();
    private readonly ManualTimer _clock = new();

    public void Dispose() => _writer.Dispose();

    [Fact]
    public void Report_BetweenTicks_WritesWhatIsFinishedOnly()
    {
        using ProgressLines lines = Create();
        lines.Report(0.1, "block 1/2 pruning");
        Assert.Empty(Lines());

        lines.Report(0.509, "block 2/2 pruning", "block 1/2 finished");

        Assert.Equal(["50 %: block 1/2 finished"], Lines());
        Assert.Equal(1, _clock.Changes);
    }

    [Fact]
    public void Tick_NothingNew_WritesNothing()
    {
        using ProgressLines lines = Create();
        _clock.GoOff();
        _clock.GoOff();
        lines.Report(0.1, "pruning");
        lines.Report(0.2, "packing");
        _clock.GoOff();
        _clock.GoOff();
        Assert.Equal(["loading", "20 %: packing"], Lines());
    }

    [Fact]
    public void Tick_AfterTheEnd_WritesNothing()
    {
        Create().Dispose();
        _clock.GoOff();
        Assert.Empty(Lines());
    }

    private ProgressLines Create() => new(_writer, _clock, "loading");

    private string[] Lines() => _writer.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
}
