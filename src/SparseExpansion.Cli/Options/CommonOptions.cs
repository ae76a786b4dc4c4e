using System.CommandLine;

namespace SparseExpansion.Cli;

/// <summary>Options that several commands have, each declared here once.</summary>
internal static class CommonOptions
{
    public static Option<string> Model(string description = "Folder of the model: a Hugging Face checkpoint, or what 'expand' wrote.") => new("--model")
    {
        Description = description,
        HelpName = "DIR",
        Required = true,
    };

    public static Option<string> Output() => new("--output")
    {
        Description = "Folder to make; it appears when it is complete.",
        HelpName = "DIR",
        Required = true,
    };

    public static Option<bool> Overwrite(OutputKind kind) => new("--overwrite") { Description = $"Replace what is in the output folder; only {kind.Plural} are." };

    public static Option<bool> NoMemoryMap() => new("--no-memory-map")
    {
        Description = "Copy packed experts into memory instead of using them where they lie in the file.",
    };

    public static Option<bool> Json() => new("--json") { Description = "Write one JSON object to stdout instead of text." };

    public static Option<int> Seed() => new("--seed")
    {
        Description = "Seed of all random numbers.",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Integer(0),
    };
}
