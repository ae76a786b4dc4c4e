using Spectre.Console;

namespace SparseExpansion.Cli;

/// <summary>Shows on stderr how far a piece of work is, where a person watches it; otherwise nothing.</summary>
internal static class ProgressBar
{
    /// <summary>Does the work.</summary>
    /// <param name="host">Where to show it.</param>
    /// <param name="title">What is shown until the work says otherwise.</param>
    /// <param name="work">Is given a function that takes the share done, in [0, 1], and what is being done.</param>
    public static T Run<T>(ToolHost host, string title, Func<Action<double, string>, T> work)
    {
        if (!host.ShowProgress)
        {
            return work((_, _) => { });
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new Spectre.Console.ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: 1);
                return work((share, text) =>
                {
                    task.Value = share;
                    task.Description = Markup.Escape(text);
                });
            });
    }
}
