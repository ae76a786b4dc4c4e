using SparseExpansion.Serialization;

namespace SparseExpansion.Cli;

/// <summary>What a command writes, and so may replace.</summary>
/// <param name="Plural">Its name.</param>
/// <param name="Recognizes">True for a folder that holds one.</param>
internal sealed record OutputKind(string Plural, Func<string, bool> Recognizes)
{
    /// <summary>What <c>expand</c> and <c>export</c> write.</summary>
    public static OutputKind ExpandedModel { get; } = new("expanded models", SparseExpansion.Serialization.ExpandedModel.IsExpanded);

    /// <summary>What <c>analyze</c> writes.</summary>
    public static OutputKind Report { get; } = new(
        "reports of 'analyze'", folder => File.Exists(Path.Combine(folder, ReportFolder.Html)) && File.Exists(Path.Combine(folder, ReportFolder.Results)));
}
