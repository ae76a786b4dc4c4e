using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using SparseExpansion.Cli.Analyze;
using SparseExpansion.Cli.Evaluate;
using SparseExpansion.Cli.Expand;
using SparseExpansion.Cli.Export;
using SparseExpansion.Cli.Generate;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Inspect;

namespace SparseExpansion.Cli;

/// <summary>The tool: its commands and its error handling.</summary>
internal static class Tool
{
    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="host">Environment to run in.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> args, ToolHost host)
    {
        try
        {
            // Without the replacer a prompt may begin with an @.
            ParseResult parsed = CreateRootCommand(host).Parse(
                args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is ParseErrorAction)
            {
                throw new UsageException(ParseErrorText.Of(parsed));
            }

            return parsed.Invoke(new InvocationConfiguration
            {
                Output = host.Output,
                Error = host.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (OperationCanceledException) when (host.CancellationToken.IsCancellationRequested)
        {
            host.Error.WriteLine($"{ToolHost.ToolName}: interrupted.");
            return ExitCode.Interrupted;
        }
        catch (Exception error)
        {
            new TextLayout(host.Error, host.ErrorWidth).WriteLine($"{ToolHost.ToolName}: {ErrorText.Of(error)}");
            return ExitCode.Failure;
        }
    }

    /// <summary>The commands and their options.</summary>
    public static RootCommand CreateRootCommand(ToolHost host)
    {
        var root = new RootCommand("Turns language models into mixtures of sparse experts, and measures cost and gain.")
        {
            new ExpandCommand(host),
            new EvaluateCommand(host),
            new GenerateCommand(host),
            new ExportCommand(host),
            new InspectCommand(host),
            new AnalyzeCommand(host),
        };
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction(host.Output);
        root.SetAction(parsed => new HelpAction().Invoke(parsed));
        return root;
    }
}
