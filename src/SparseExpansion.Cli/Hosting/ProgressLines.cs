using System.Globalization;

namespace SparseExpansion.Cli.Hosting;

/// <summary>
/// Progress for files: a plain line for everything finished, and otherwise at most one every <see cref="Interval"/>. A
/// timer writes these, because work may be silent for long; lines that would say nothing new are omitted.
/// </summary>
internal sealed class ProgressLines : IDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly TextWriter _writer;
    private readonly ITimer _timer;
    private string _now;
    private string _written = "";
    private bool _disposed;

    /// <param name="writer">Receives the lines.</param>
    /// <param name="clock">Clock of the timer.</param>
    /// <param name="title">Text until the work reports another.</param>
    public ProgressLines(TextWriter writer, TimeProvider clock, string title)
    {
        (_writer, _now) = (writer, title);
        _timer = clock.CreateTimer(_ => Tick(), null, Interval, Interval);
    }

    /// <inheritdoc cref="ProgressHandler"/>
    public void Report(double share, ProgressText text, string? finished = null)
    {
        lock (_lock)
        {
            _now = WithShare(share, text.Full);
            if (finished is not null)
            {
                Write(WithShare(share, finished));
                _timer.Change(Interval, Interval);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true; // A tick in progress would write after the result.
        }

        _timer.Dispose();
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (!_disposed && _now != _written)
            {
                Write(_now);
                _written = _now;
            }
        }
    }

    private void Write(string line)
    {
        _writer.WriteLine(line);
        _writer.Flush();
    }

    /// <summary>Rounds down, so that 100 % does not appear too early.</summary>
    private static string WithShare(double share, string text) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(Math.Clamp(share, 0, 1) * 100)} %: {text}");
}
