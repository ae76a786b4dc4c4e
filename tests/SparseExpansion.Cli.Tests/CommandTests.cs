using System.CommandLine;
using System.Text.RegularExpressions;
using SparseExpansion.Cli.Hosting;

namespace SparseExpansion.Cli;

/// <summary>All commands side by side: what one of them has, users expect of the others.</summary>
public sealed partial class CommandTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    public static TheoryData<string> Names => [.. Commands().Select(command => command.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Json_AnyCommand_IsOneObject(string name)
    {
        Assert.Contains("--json", OptionsOf(name));
        Assert.NotEmpty(Line(name).With("--json").Run().Json().EnumerateObject());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Overwrite_CommandThatWrites_ReplacesItsOwnOutput(string name)
    {
        string[] options = OptionsOf(name);
        Assert.Equal(options.Contains("--output"), options.Contains("--overwrite"));
        if (options.Contains("--output"))
        {
            Assert.Equal(0, Line(name).Run().ExitCode);
            Line(name).Run().AssertRefused("--output", "not empty", "--overwrite");
            Assert.Equal(0, Line(name).With("--overwrite").Run().ExitCode);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Overwrite_FolderHoldsSomethingElse_IsRefused(string name)
    {
        if (OptionsOf(name).Contains("--overwrite"))
        {
            CommandLine line = Line(name).With("--overwrite");
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(_tiny.Path("notes")).FullName, "notes"), "");
            line.With("--output", _tiny.Path("notes")).Run().AssertRefused("--overwrite only replaces", "something else");
            Assert.Equal([_tiny.Path("notes/notes")], Directory.GetFiles(_tiny.Path("notes")));
        }
    }

    /// <summary>A default is said once, in the parser's own form.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Help_AnyOption_NamesAtMostOneDefault(string name)
    {
        string help = ToolRun.Of(name, "--help").Output;
        string[] options = [.. OptionStart().Split(help).Select(part => Spaces().Replace(part, " "))];
        Assert.All(options, option => Assert.InRange(option.Split("[default: ").Length - 1, 0, 1));
        Assert.DoesNotContain("Default:", help, StringComparison.Ordinal);
    }

    /// <summary>Names are words with hyphens, and one name takes the same kind of value everywhere; an analysis compares several numbers of experts.</summary>
    [Fact]
    public void Options_OfOneName_TakeTheSameValue()
    {
        Option[] all = [.. Commands().SelectMany(command => command.Options)];
        Assert.All(all, option => Assert.Matches(@"\A--[a-z]+(-[a-z]+)*\z", option.Name));
        Assert.All(all.Where(option => option.Name != "--experts").GroupBy(option => option.Name), same =>
        {
            Assert.Single(same.Select(option => option.HelpName).Distinct());
            Assert.Single(same.Select(option => option.Arity).Distinct());
        });
    }

    [Theory]
    [InlineData("expand --targets *.up_proj *.down_proj", "--targets takes one value at a time; repeat it: --targets '*.up_proj' --targets '*.down_proj'.")]
    [InlineData("generate --stop a b c", "repeat it: --stop a --stop b.")]
    [InlineData("inspect --model a b", "'b': does not belong to an option, because --model already has a value")]
    [InlineData("inspect folder", "'folder': does not belong to an option; write values after their option, as in --model DIR.")]
    public void Value_BelongsToNoOption_SaysHowToGiveIt(string arguments, string expected) => ToolRun.Of(arguments.Split(' ')).AssertRefused(expected, "--help");

    private static IEnumerable<Command> Commands() =>
        Tool.CreateRootCommand(new ToolHost(TextWriter.Null, TextWriter.Null, ShowProgress: false, CancellationToken.None)).Subcommands;

    private static string[] OptionsOf(string name) => [.. Commands().Single(command => command.Name == name).Options.Select(option => option.Name)];

    /// <summary>A command line that works.</summary>
    private CommandLine Line(string name)
    {
        if (name == "export" && !Directory.Exists(_tiny.Output))
        {
            Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        }

        return name switch
        {
            "export" => new CommandLine("export").With("--model", _tiny.Output).With("--output", _tiny.Path("dense")).With("--format", "dense"),
            "analyze" => _tiny.Command("analyze").With("--tokens", _tiny.Tokens).With("--output", _tiny.Path("report")).With("--experts", "2").With("--targets", "*.0.mlp.up_proj"),
            _ => _tiny.Command(name),
        };
    }

    [GeneratedRegex(@"^  (?=-)", RegexOptions.Multiline)]
    private static partial Regex OptionStart();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
