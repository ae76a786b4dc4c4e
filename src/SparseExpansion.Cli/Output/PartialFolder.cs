using SparseExpansion.Expansion.Checkpoints;

namespace SparseExpansion.Cli.Output;

/// <summary>
/// The folder next to an output that holds its finished blocks until it is complete: the output's name with
/// <c>.partial</c> appended.
/// </summary>
internal static class PartialFolder
{
    /// <summary>Opens the store of an output's finished blocks, without creating a folder.</summary>
    public static FolderExpansionStore Open(string output) => FolderExpansionStore.Open(Of(output));

    /// <summary>True if there is a folder for an output's finished blocks.</summary>
    public static bool Exists(string output) => Directory.Exists(Of(output));

    private static string Of(string output) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + ".partial";
}
