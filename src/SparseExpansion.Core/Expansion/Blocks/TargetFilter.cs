using System.IO.Enumeration;
using SparseExpansion.Calibration;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>Choice of the linears that are expanded.</summary>
/// <param name="Description">For messages.</param>
/// <param name="Matches">True for a target.</param>
internal sealed record TargetFilter(string Description, Func<LayerDescriptor, bool> Matches)
{
    /// <summary>Globs, each of which should match something.</summary>
    public IReadOnlyList<string> Patterns { get; private init; } = [];

    public static TargetFilter FromGlobs(IReadOnlyList<string> patterns) => new(
        string.Join(", ", patterns.Select(Quote)),
        layer => patterns.Any(pattern => Fits(pattern, layer.Name)))
    { Patterns = patterns };

    /// <summary>The first glob that matches none of some layers, for messages; null: all do.</summary>
    public string? FindIdle(IReadOnlyList<LayerDescriptor> layers) =>
        Patterns.Where(pattern => !layers.Any(layer => Fits(pattern, layer.Name))).Select(Quote).FirstOrDefault();

    /// <summary>True if a glob matches a whole module path.</summary>
    public static bool Fits(string pattern, string path) =>
        FileSystemName.MatchesSimpleExpression(pattern, path, ignoreCase: false);

    private static string Quote(string pattern) => $"'{pattern}'";
}
