namespace SparseExpansion.Cli;

/// <summary>A command with options, to be varied by tests.</summary>
internal sealed class CommandLine(string command)
{
    private readonly Dictionary<string, string?> _options = [];

    /// <summary>Sets an option, in the place of its old value; null makes it a flag.</summary>
    public CommandLine With(string option, string? value = null)
    {
        _options[option] = value;
        return this;
    }

    public CommandLine Without(string option)
    {
        _options.Remove(option);
        return this;
    }

    public string[] Arguments() => [command, .. _options.SelectMany(option => option.Value is null ? [option.Key] : new[] { option.Key, option.Value })];

    public ToolRun Run() => ToolRun.Of(Arguments());
}
