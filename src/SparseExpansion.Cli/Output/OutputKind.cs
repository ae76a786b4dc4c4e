using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Cli.Output;

/// <summary>Kind of output that a command writes, and may replace.</summary>
/// <param name="Plural">Name in the plural.</param>
/// <param name="Recognizes">True for a folder that contains such an output.</param>
internal sealed record OutputKind(string Plural, Func<string, bool> Recognizes)
{
    /// <summary>Output of <c>expand</c> and <c>export</c>.</summary>
    public static OutputKind ExpandedModel { get; } = new(
        "expanded models", SparseExpansion.Serialization.Expanded.ExpandedModel.IsExpanded);
}
