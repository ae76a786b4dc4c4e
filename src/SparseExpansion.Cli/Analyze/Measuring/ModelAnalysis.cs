using System.Diagnostics;
using System.Globalization;
using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Analyze.Measuring;

/// <summary>Measures a model, input group by input group, so that memory only holds the inputs of one.</summary>
internal sealed class ModelAnalysis(
    CausalLanguageModel model, AnalyzeSettings settings, ProgressHandler report, CancellationToken cancellationToken)
{
    /// <summary>Fraction of the work done when the ablation begins.</summary>
    private const double LayersShare = 0.6;

    /// <param name="folder">Folder of the model, for the report.</param>
    /// <param name="calibration">Windows that routers and pruners see.</param>
    /// <param name="measured">Windows to measure on.</param>
    public AnalyzeReport Run(string folder, TokenWindows calibration, TokenWindows measured)
    {
        long started = Stopwatch.GetTimestamp();
        Dictionary<string, Linear> linears = Match();
        using var study = new AblationStudy(model, settings, cancellationToken);
        List<LayerResult> layers = MeasureLayers(linears, calibration, measured, study);
        AblationResult ablation = study.Run(
            measured,
            share => report(LayersShare + ((1 - LayersShare) * share), new ProgressText("perplexity with sparse neurons", "sparse neurons")));
        return new AnalyzeReport
        {
            Model = folder,
            Settings = settings,
            Context = measured.Context,
            CalibrationWindows = calibration.Count,
            MeasuredWindows = measured.Count,
            Claims = Claims.Judge(layers, ablation, settings),
            Ablation = ablation,
            Layers = layers,
            Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
        };
    }

    private List<LayerResult> MeasureLayers(
        Dictionary<string, Linear> linears, TokenWindows calibration, TokenWindows measured, AblationStudy study)
    {
        ActivationRecorder recorder = ActivationRecorder.Create(
            model, linears.Keys, Batches(calibration), cancellationToken);
        var analysis = new LayerAnalysis(settings, cancellationToken);
        var results = new List<LayerResult>();
        for (int group = 0; group < recorder.Groups.Count; group++)
        {
            report(LayersShare * results.Count / linears.Count, Step("recording", recorder.Groups[group]));
            using ActivationStore seen = recorder.Record(group, Batches(calibration), cancellationToken);
            using ActivationStore held = recorder.Record(group, Batches(measured), cancellationToken);
            foreach (string name in recorder.Groups[group])
            {
                report(LayersShare * results.Count / linears.Count, Step("measuring", [name]));
                DenseLinear layer = DenseLinear.From(name, linears[name]);
                LayerEntanglement dense = analysis.Measure(layer, held);
                results.Add(analysis.Run(layer, dense, recorder.Groups[group], seen, held));
                study.Add(layer, dense, seen);
            }
        }

        return results;
    }

    private static ProgressText Step(string what, IReadOnlyList<string> layers) => new(
        $"{what} {string.Join(", ", layers)}",
        $"{what} {ModulePath.FromBlock(layers[0])}{(layers.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" +{layers.Count - 1}") : "")}",
        $"{what} {ModulePath.Last(layers[0], 1)}");

    private Dictionary<string, Linear> Match()
    {
        Dictionary<string, Linear> all = model.named_modules().Where(entry => entry.module is Linear).ToDictionary(
            entry => entry.name, entry => (Linear)entry.module);
        string[] idle = [.. settings.Targets.Where(target => !all.Keys.Any(path => TargetFilter.Fits(target, path)))];
        return idle.Length == 0
            ? all.Where(entry => settings.Targets.Any(target => TargetFilter.Fits(target, entry.Key))).ToDictionary()
            : throw new UsageException(
                TargetsOption.NoMatch(string.Join(", ", idle.Select(target => $"'{target}'")), [.. all.Keys]));
    }

    private IEnumerable<CalibrationBatch> Batches(TokenWindows windows)
    {
        foreach (Tensor batch in windows.Batches(BatchSize.For(windows.Context), model.Device))
        {
            using (batch)
            {
                yield return batch;
            }
        }
    }
}
