namespace SparseExpansion.Expansion.Telemetry;

/// <summary>
/// Names of what an expansion reports to <c>System.Diagnostics</c>, for OpenTelemetry and other listeners;
/// docs/observability.md.
/// </summary>
public static class SparseExpansionTelemetry
{
    /// <summary>Name of the <c>ActivitySource</c> and the <c>Meter</c>.</summary>
    public const string SourceName = "SparseExpansion";

    /// <summary>The activity around a whole expansion. Tags: <see cref="BlocksTag"/>.</summary>
    public const string ExpansionActivity = "expansion";

    /// <summary>
    /// Prefix of the activities of the stages, children of <see cref="ExpansionActivity"/>:
    /// <c>expansion.calibration</c>, <c>.routing</c>, <c>.pruning</c>, <c>.finetuning</c>, <c>.propagation</c>,
    /// <c>.packing</c>, <c>.discovery</c>. Tags: <see cref="StageTag"/>, <see cref="BlockTag"/>,
    /// <see cref="LayerTag"/>.
    /// </summary>
    public const string StageActivityPrefix = "expansion.";

    /// <summary>Histogram, seconds: duration of a stage at one layer or block. Tag: <see cref="StageTag"/>.</summary>
    public const string StageDuration = "sparse_expansion.stage.duration";

    /// <summary>
    /// Histogram, tokens a second: calibration tokens of the expansion divided by the duration of a stage that streams
    /// them. Tag: <see cref="StageTag"/>.
    /// </summary>
    public const string StageThroughput = "sparse_expansion.stage.throughput";

    /// <summary>Counter, tokens: calibration tokens that were routed to experts, once for every layer.</summary>
    public const string Tokens = "sparse_expansion.tokens";

    /// <summary>Counter, layers: linears that have become mixtures.</summary>
    public const string Layers = "sparse_expansion.layers";

    /// <summary>Counter, bytes: experts of finished blocks, as they are stored in memory.</summary>
    public const string ExpertBytes = "sparse_expansion.expert.bytes";

    /// <summary>Tag: the stage, in lower case.</summary>
    public const string StageTag = "stage";

    /// <summary>Tag: index of the block, from 0.</summary>
    public const string BlockTag = "block";

    /// <summary>Tag: number of blocks.</summary>
    public const string BlocksTag = "blocks";

    /// <summary>Tag: module path of the linear or linears at work.</summary>
    public const string LayerTag = "layer";
}
