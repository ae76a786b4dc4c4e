using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using SparseExpansion.Expansion.Telemetry;
using SparseExpansion.Testing;

namespace SparseExpansion.Expansion.Telemetry;

/// <summary>docs/observability.md lists every log event, instrument, activity and tag, and nothing else.</summary>
public sealed partial class ObservabilityDocsTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "observability.md"));

    [Fact]
    public void Logs_OfCore_AreThoseOfTheTable()
    {
        string[] events = [.. typeof(Log).Assembly.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public))
            .Select(method => (method.Name, Message: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(entry => entry.Message is not null)
            .OrderBy(entry => entry.Message!.EventId)
            .Select(entry => $"{entry.Message!.EventId} {entry.Name} {entry.Message.Level.ToString().ToLowerInvariant()}")];

        Assert.NotEmpty(events);
        Assert.Equal(events, LogRow().Matches(s_text).Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value} {match.Groups[3].Value}"));
    }

    [Fact]
    public void Instruments_OfCore_AreThoseOfTheTable()
    {
        string[] names = [.. typeof(SparseExpansionTelemetry).GetFields().Select(field => (string)field.GetRawConstantValue()!).Where(name => name.StartsWith("sparse_expansion.", StringComparison.Ordinal))];

        Assert.NotEmpty(names);
        Assert.Equal(names.Order(StringComparer.Ordinal), InstrumentRow().Matches(s_text).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ActivitiesAndTags_OfCore_AreNamed()
    {
        Assert.All(
            Stages().Select(stage => stage.Name.ToLowerInvariant()),
            stage => Assert.Contains($".{stage}`", s_text, StringComparison.Ordinal));
        Assert.All(
            new[] { SparseExpansionTelemetry.StageTag, SparseExpansionTelemetry.BlockTag, SparseExpansionTelemetry.BlocksTag, SparseExpansionTelemetry.LayerTag },
            tag => Assert.Contains($"`{tag}`", s_text, StringComparison.Ordinal));
    }

    /// <summary>All stages that have activities, those of steps included.</summary>
    private static IEnumerable<ExpansionStage> Stages() =>
    [
        .. typeof(ExpansionStage).GetProperties(BindingFlags.Public | BindingFlags.Static).Select(
            property => (ExpansionStage)property.GetValue(null)!)
            .Where(stage => stage != ExpansionStage.Finished),
        .. ExpansionRecipe.KnownSteps.Select(step => step.BlockStage).OfType<ExpansionStage>(),
    ];

    [GeneratedRegex(@"^\| (\d+) \| `(\w+)` \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex LogRow();

    [GeneratedRegex(@"^\| `(sparse_expansion\.[\w.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex InstrumentRow();
}
