using SparseExpansion.Models.Tokenization.Unicode;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Hosting;

/// <summary>A clock with one timer, which goes off when a test says so.</summary>
internal sealed class ManualTimer : TimeProvider, ITimer
{
    private Action _callback = () => { };

    /// <summary>Number of times the timer was postponed.</summary>
    public int Changes { get; private set; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Assert.Equal((ProgressLines.Interval, ProgressLines.Interval), (dueTime, period));
        _callback = () => callback(state);
        return this;
    }

    public void GoOff() => _callback();

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        Changes++;
        return true;
    }

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
