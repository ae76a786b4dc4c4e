using System.Text.Encodings.Web;
using System.Text.Json;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>All that a run has measured.</summary>
/// <param name="Machine">The machine and our side's libraries.</param>
/// <param name="ReadGigabytesPerSecond">Speed at which all processors together read memory.</param>
/// <param name="PeerSystems">What each variant of the peer says about itself.</param>
/// <param name="Seconds">Duration of the run.</param>
/// <param name="Rows">The cells.</param>
/// <param name="Failures">What went wrong with cases that have no rows; empty if nothing did.</param>
internal sealed record PeerReport(
    string Machine, double ReadGigabytesPerSecond, IReadOnlyDictionary<string, string> PeerSystems, double Seconds,
    IReadOnlyList<PeerRow> Rows, IReadOnlyList<string> Failures)
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(this, s_options);
}
