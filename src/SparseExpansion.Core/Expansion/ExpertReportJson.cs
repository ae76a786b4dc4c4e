using System.Text.Json;
using System.Text.Json.Serialization;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Refit;

namespace SparseExpansion.Expansion;

/// <summary>
/// Reports of experts as they are written: with one property for each diagnostic that the library knows, null where a
/// pruner has none.
/// </summary>
internal sealed class ExpertReportJson : JsonConverter<ExpertReport>
{
    public override ExpertReport? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        Written written = JsonSerializer.Deserialize<Written>(ref reader, options)!;
        PruningDiagnostic?[] diagnostics = [written.DampingRung, written.Convergence, written.Refit];
        return new ExpertReport(
            written.Tokens, written.Sparsity, written.OutputError, [.. diagnostics.OfType<PruningDiagnostic>()]);
    }

    public override void Write(Utf8JsonWriter writer, ExpertReport value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(
        writer,
        new Written(
            value.Tokens,
            value.Sparsity,
            value.OutputError,
            Last<DampingRung>(value.Diagnostics),
            Last<Convergence>(value.Diagnostics),
            Last<RefitReport>(value.Diagnostics)),
        options);

    private static T? Last<T>(IReadOnlyList<PruningDiagnostic> diagnostics)
        where T : PruningDiagnostic => diagnostics.OfType<T>().LastOrDefault();

    private sealed record Written(
        long Tokens, double Sparsity, double OutputError, DampingRung? DampingRung, Convergence? Convergence = null,
        RefitReport? Refit = null);
}
