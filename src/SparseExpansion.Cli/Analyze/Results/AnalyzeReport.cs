namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>All measurements of <c>analyze</c>; its properties are those of results.json.</summary>
internal sealed record AnalyzeReport
{
    /// <summary>Folder of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Settings of the run.</summary>
    public required AnalyzeSettings Settings { get; init; }

    /// <summary>Tokens per window.</summary>
    public required int Context { get; init; }

    /// <summary>Windows that routers and pruners saw.</summary>
    public required int CalibrationWindows { get; init; }

    /// <summary>Windows that everything was measured on; none of them is a calibration window.</summary>
    public required int MeasuredWindows { get; init; }

    /// <summary>The paper's statements, checked against the numbers below.</summary>
    public required IReadOnlyList<Claim> Claims { get; init; }

    /// <summary>Perplexity with some neurons of all layers sparse.</summary>
    public required AblationResult Ablation { get; init; }

    /// <summary>The analyzed layers in the order of execution.</summary>
    public required IReadOnlyList<LayerResult> Layers { get; init; }

    /// <summary>Duration of all measurements.</summary>
    public required double Seconds { get; init; }
}
