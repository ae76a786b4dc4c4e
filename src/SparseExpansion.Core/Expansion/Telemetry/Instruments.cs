using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SparseExpansion.Expansion.Telemetry;

/// <summary>The instruments behind <see cref="SparseExpansionTelemetry"/>.</summary>
internal static class Instruments
{
    private static readonly Meter s_meter = new(SparseExpansionTelemetry.SourceName);

    public static readonly ActivitySource Source = new(SparseExpansionTelemetry.SourceName);

    public static readonly Histogram<double> StageDuration = s_meter.CreateHistogram<double>(
        SparseExpansionTelemetry.StageDuration, "s", "Duration of a stage at one layer or block.");

    public static readonly Histogram<double> StageThroughput = s_meter.CreateHistogram<double>(
        SparseExpansionTelemetry.StageThroughput, "{token}/s", "Calibration tokens a second of a stage.");

    public static readonly Counter<long> Tokens = s_meter.CreateCounter<long>(
        SparseExpansionTelemetry.Tokens, "{token}", "Calibration tokens routed to experts, once for every layer.");

    public static readonly Counter<long> Layers = s_meter.CreateCounter<long>(
        SparseExpansionTelemetry.Layers, "{layer}", "Linears that have become mixtures.");

    public static readonly Counter<long> ExpertBytes = s_meter.CreateCounter<long>(
        SparseExpansionTelemetry.ExpertBytes, "By", "Experts of finished blocks.");
}
