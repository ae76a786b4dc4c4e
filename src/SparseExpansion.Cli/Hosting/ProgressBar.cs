using Spectre.Console;

namespace SparseExpansion.Cli;

/// <summary>Shows on stderr how far a piece of work is: a bar where a person watches it, otherwise plain lines.</summary>
internal static class ProgressBar
{
    private const int BarWidth = 20;

    /// <summary>Columns of a terminal that bar, percentage, time and the gaps between them take.</summary>
    private const int WidthWithoutText = BarWidth + 18;

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

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn { Width = BarWidth }, new PercentageColumn(), new ElapsedTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: 1);
                return work((share, text, _) =>
                {
                    task.Value = share;
                    task.Description = Markup.Escape(Shorten(text, console.Profile.Width - WidthWithoutText));
                });
            });
    }

    /// <summary>Spectre would break the line. The end of a text, a layer's name, tells more than its middle.</summary>
    private static string Shorten(string text, int width)
    {
        int head = Math.Max(0, (width - 1) / 2);
        int tail = Math.Max(0, width - 1 - head);
        return text.Length <= width ? text : $"{text[..Math.Min(head, text.Length)]}…{text[^Math.Min(tail, text.Length)..]}";
    }
}
