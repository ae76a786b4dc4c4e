using System.IO.Enumeration;
using SparseExpansion.Calibration;

namespace SparseExpansion.Expansion;

/// <summary>Which linears are expanded.</summary>
/// <param name="Description">For messages.</param>
/// <param name="Matches">True for a target.</param>
internal sealed record TargetFilter(string Description, Func<LayerDescriptor, bool> Matches)
{
    public static TargetFilter All { get; } = new("all linears", _ => true);

    public static TargetFilter FromGlobs(IReadOnlyList<string> patterns) => new(
        string.Join(", ", patterns.Select(pattern => $"'{pattern}'")),
        layer => patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, layer.Name, ignoreCase: false)));
}
