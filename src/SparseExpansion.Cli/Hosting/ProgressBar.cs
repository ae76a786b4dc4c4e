using Spectre.Console;

namespace SparseExpansion.Cli;

/// <summary>Shows on stderr how far a piece of work is: a bar where a person watches it, otherwise plain lines.</summary>
internal static class ProgressBar
{
    /// <summary>Narrower terminals get a short bar, and a spinner in the place of the time.</summary>
    private const int WideEnough = 70;

    /// <summary>Columns that the percentage and the gaps take.</summary>
    private const int PercentageAndGaps = 11;

    private const int TimeWidth = 9;

    /// <summary>Does the work.</summary>
    /// <param name="host">Where to show it.</param>
    /// <param name="title">What is shown until the work says otherwise.</param>
    /// <param name="work">Is given a function to be told how far it is.</param>
    public static T Run<T>(ToolHost host, string title, Func<ProgressHandler, T> work)
    {
        if (!host.ShowProgress)
        {
            using ProgressLines? lines = host.LineClock is { } clock ? new ProgressLines(host.Error, clock, title) : null;
            return work(lines is null ? (_, _, _) => { } : lines.Report);
        }

        IAnsiConsole console = host.ProgressConsole ?? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
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
