using System.CommandLine;
using SparseExpansion.Cli.Output;

namespace SparseExpansion.Cli.Options;

/// <summary>Options shared by several commands.</summary>
internal static class CommonOptions
{
    public static Option<string> Model(string description = "Folder of the model: a Hugging Face checkpoint or the output of 'expand'.") => new("--model")
    {
        Description = description,
        HelpName = "DIR",
        Required = true,
    };

    public static Option<string> Output() => new("--output")
    {
        Description = "Folder to create; it appears when it is complete.",
        HelpName = "DIR",
        Required = true,
    };

    public static Option<bool> Overwrite(OutputKind kind) =>
        new("--overwrite") { Description = $"Replace the contents of the output folder; only {kind.Plural} are replaced." };

    public static Option<bool> NoMemoryMap() => new("--no-memory-map")
    {
        Description = "Copy packed experts into memory instead of memory-mapping them.",
    };

    public static Option<bool> Json() =>
        new("--json") { Description = "Write a single JSON object to stdout instead of text." };

    public static Option<int> Seed() => new("--seed")
    {
        Description = "Random seed.",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Integer(0),
    };
}
