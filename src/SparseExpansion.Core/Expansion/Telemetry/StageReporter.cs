using System.Diagnostics;
using SparseExpansion.Expansion.Blocks;

namespace SparseExpansion.Expansion.Telemetry;

/// <summary>
/// Tells listeners which stage an expansion is in: progress with an estimate of the time left, activities, durations.
/// </summary>
internal sealed class StageReporter : IDisposable
{
    private readonly IProgress<ExpansionProgress>? _progress;
    private readonly TimeProvider _clock;
    private readonly int _blocks;
    private readonly long _tokens;
    private readonly Activity? _whole;
    private readonly long _started;
    private Activity? _activity;
    private ExpansionStage? _stage;
    private (ExpansionStage Stage, int Block, string? Layer)? _entered;
    private long _stageStarted;
    private double? _firstFraction;

    /// <param name="progress">Told of every step; may be null.</param>
    /// <param name="clock">Measures times.</param>
    /// <param name="blocks">Number of units.</param>
    /// <param name="tokens">Calibration tokens that a stage streams.</param>
    public StageReporter(IProgress<ExpansionProgress>? progress, TimeProvider clock, int blocks, long tokens)
    {
        (_progress, _clock, _blocks, _tokens) = (progress, clock, blocks, tokens);
        _started = clock.GetTimestamp();
        _whole = Instruments.Source.StartActivity(SparseExpansionTelemetry.ExpansionActivity);
        _whole?.SetTag(SparseExpansionTelemetry.BlocksTag, blocks);
    }

    /// <summary>
    /// Ends the stage before and begins another; one that is entered again, at the same layer, goes on.
    /// </summary>
    public void Enter(ExpansionStage stage, int block, string? layer, double fraction)
    {
        _firstFraction ??= fraction;
        if (_entered != (stage, block, layer))
        {
            End();
            if (stage != ExpansionStage.Finished)
            {
                Begin(stage, block, layer);
            }

            _entered = (stage, block, layer);
        }

        _progress?.Report(
            new ExpansionProgress(stage, block, _blocks, layer, fraction) { TimeLeft = TimeLeft(fraction) });
    }

    /// <summary>Marks the expansion as failed.</summary>
    public void Fail(Exception error)
    {
        _activity?.SetStatus(ActivityStatusCode.Error, error.Message);
        _whole?.SetStatus(ActivityStatusCode.Error, error.Message);
    }

    /// <summary>Ends what is open.</summary>
    public void Dispose()
    {
        End();
        _whole?.Dispose();
    }

    private static string NameOf(ExpansionStage stage) => stage.Name.ToLowerInvariant();

    /// <summary>True if all calibration tokens pass in the stage.</summary>
    private static bool IsStreaming(ExpansionStage stage) =>
        stage == ExpansionStage.Calibration || stage == ExpansionStage.Routing || stage == ExpansionStage.Pruning
            || stage == ExpansionStage.Propagation;

    private void Begin(ExpansionStage stage, int block, string? layer)
    {
        (_stage, _stageStarted) = (stage, _clock.GetTimestamp());
        _activity = Instruments.Source.StartActivity(SparseExpansionTelemetry.StageActivityPrefix + NameOf(stage));
        _activity?.SetTag(SparseExpansionTelemetry.StageTag, NameOf(stage));
        _activity?.SetTag(SparseExpansionTelemetry.BlockTag, block);
        _activity?.SetTag(SparseExpansionTelemetry.LayerTag, layer);
    }

    private void End()
    {
        if (_stage is not { } stage)
        {
            return;
        }

        double seconds = _clock.GetElapsedTime(_stageStarted).TotalSeconds;
        var tag = new KeyValuePair<string, object?>(SparseExpansionTelemetry.StageTag, NameOf(stage));
        Instruments.StageDuration.Record(seconds, tag);
        if (seconds > 0 && IsStreaming(stage))
        {
            Instruments.StageThroughput.Record(_tokens / seconds, tag);
        }

        _activity?.Dispose();
        (_activity, _stage) = (null, null);
    }

    /// <summary>As if what is left went as fast as what this run has done; null while it has done nothing.</summary>
    private TimeSpan? TimeLeft(double fraction)
    {
        double done = fraction - _firstFraction!.Value;
        return done > 0 ? _clock.GetElapsedTime(_started) * ((1 - fraction) / done) : null;
    }
}
