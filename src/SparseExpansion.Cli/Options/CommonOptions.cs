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

    public static Option<bool> Json() => new("--json") { Description = "Write one JSON object to stdout instead of text." };

    public static Option<int> Seed() => new("--seed")
    {
        Description = "Seed of all random numbers.",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Integer(0),
    };
}
