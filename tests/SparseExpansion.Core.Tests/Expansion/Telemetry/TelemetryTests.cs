using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using SparseExpansion.Expansion.Telemetry;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Telemetry;

public sealed class TelemetryTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Run_Listened_ReportsTheStagesAsChildrenOfTheExpansion()
    {
        var ended = new List<Activity>();
        using var root = new Activity("test").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SparseExpansionTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.TraceId == root.TraceId)
                {
                    ended.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        using ExpansionResult result = Builder().Run();

        Activity whole = Assert.Single(
            ended, activity => activity.OperationName == SparseExpansionTelemetry.ExpansionActivity);
        Assert.Equal(2, whole.GetTagItem(SparseExpansionTelemetry.BlocksTag));
        Activity[] stages = [.. ended.Where(activity => activity != whole)];
        Assert.Equal(
            new[] { "calibration", "discovery", "packing", "propagation", "pruning", "routing" },
            stages.Select(stage => (string)stage.GetTagItem(SparseExpansionTelemetry.StageTag)!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(stages, stage => Assert.Equal(whole.SpanId, stage.ParentSpanId));
        Assert.All(stages, stage => Assert.Equal(SparseExpansionTelemetry.StageActivityPrefix + stage.GetTagItem(SparseExpansionTelemetry.StageTag), stage.OperationName));
        Assert.Contains(stages, stage => (string?)stage.GetTagItem(SparseExpansionTelemetry.LayerTag) == "blocks.1.down" && (int)stage.GetTagItem(SparseExpansionTelemetry.BlockTag)! == 1);
    }

    [Fact]
    public void Run_Failing_MarksTheActivity()
    {
        Activity? whole = null;
        using var root = new Activity("test").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SparseExpansionTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => whole = activity.TraceId == root.TraceId && activity.OperationName == SparseExpansionTelemetry.ExpansionActivity ? activity : whole,
        };
        ActivitySource.AddActivityListener(listener);

        Assert.Throws<TooManyExpertsException>(
            () => Builder().RouteWith(new PcaKMeansOptions { Experts = 5_000, PcaReduction = null }).Run());

        Assert.Equal(ActivityStatusCode.Error, whole?.Status);
    }

    [Fact]
    public void Run_Metered_CountsLayersTokensAndBytes()
    {
        var counted = new Dictionary<string, double>();
        var lockObject = new Lock();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meter) =>
        {
            if (instrument.Meter.Name == SparseExpansionTelemetry.SourceName)
            {
                meter.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Count(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Count(instrument, value));
        listener.Start();

        using ExpansionResult result = Builder().Run();
        listener.Dispose();

        // Other tests may expand at the same time.
        Assert.True(counted[SparseExpansionTelemetry.Layers] >= 6);
        Assert.True(counted[SparseExpansionTelemetry.Tokens] >= 6 * 256);
        Assert.True(
            counted[SparseExpansionTelemetry.ExpertBytes] >= result.Layers.Values.Sum(layer => layer.ExpertBytes));
        Assert.True(counted[SparseExpansionTelemetry.StageDuration] > 0);
        Assert.True(counted[SparseExpansionTelemetry.StageThroughput] > 0);

        void Count(Instrument instrument, double value)
        {
            lock (lockObject)
            {
                counted[instrument.Name] = counted.GetValueOrDefault(instrument.Name) + value;
            }
        }
    }

    [Fact]
    public void Run_Progress_EstimatesTheTimeLeft()
    {
        var clock = new SteadyClock();
        var steps = new List<ExpansionProgress>();

        using ExpansionResult result = Builder().WithOptions(new ExpansionOptions { TimeProvider = clock })
            .Run(new Steps(steps));

        Assert.Null(steps[0].TimeLeft);
        Assert.Equal(TimeSpan.Zero, steps[^1].TimeLeft);
        ExpansionProgress half = steps.First(step => step.Fraction == 0.5);
        Assert.True(half.TimeLeft > TimeSpan.Zero);
        Assert.All(steps.Where(step => step.Fraction > 0), step => Assert.NotNull(step.TimeLeft));
    }

    [Fact]
    public void Run_Logged_KeepsItsEventIds()
    {
        var logger = new Events();

        using ExpansionResult result = Builder().LogTo(logger).Run();

        Assert.Equal(
            [(1, "ExpansionStarted"), (2, "LayerExpanded"), (3, "ExpansionFinished")], logger.Ids.Distinct().Order());
    }

    private ExpansionBuilder<GatedModel> Builder() => _model.Expand()
        .Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(_batches);

    private sealed class Steps(List<ExpansionProgress> steps) : IProgress<ExpansionProgress>
    {
        public void Report(ExpansionProgress value) => steps.Add(value);
    }

    /// <summary>Every look at it takes a second.</summary>
    private sealed class SteadyClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _now++;
    }

    private sealed class Events : ILogger
    {
        public List<(int, string?)> Ids { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Ids.Add((eventId.Id, eventId.Name));
    }
}
