using Spectre.Console;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Shows progress on stderr: a bar on a terminal, otherwise plain lines.</summary>
internal static class ProgressBar
{
    /// <summary>Narrower terminals get a short bar, and a spinner in place of the time.</summary>
    private const int WideEnough = 70;

    /// <summary>Columns that the percentage and the gaps take.</summary>
    private const int PercentageAndGaps = 11;

    private const int TimeWidth = 9;

    /// <summary>Does the work and shows its progress.</summary>
    /// <param name="host">Console to show it on.</param>
    /// <param name="title">Text until the work reports another.</param>
    /// <param name="work">Receives the function to report progress to.</param>
    public static T Run<T>(ToolHost host, string title, Func<ProgressHandler, T> work)
    {
        if (!host.ShowProgress)
        {
            using ProgressLines? lines = host.LineClock is { } clock
                ? new ProgressLines(host.Error, clock, title)
                : null;
            return work(lines is null ? (_, _, _) => { } : lines.Report);
        }

        IAnsiConsole console = host.ProgressConsole ?? AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
        bool wide = console.Profile.Width >= WideEnough;
        int bar = wide ? 20 : 10;
        int room = console.Profile.Width - bar - PercentageAndGaps - (wide ? TimeWidth : 2);
        return console.Progress()
            .AutoClear(true)
            .Columns(Columns(wide, bar))
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: 1);
                return work((share, text, _) =>
                {
                    task.Value = share;
                    task.Description = Markup.Escape(text.Fit(room));
                });
            });
    }

    private static ProgressColumn[] Columns(bool wide, int bar) =>
    [
        new ProgressBarColumn { Width = bar },
        new PercentColumn(),
        wide ? new ElapsedTimeColumn() : new SpinnerColumn(Spinner.Known.Ascii),
        new TaskDescriptionColumn { Alignment = Justify.Left },
    ];
}
