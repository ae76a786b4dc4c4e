using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;

namespace SparseExpansion.Expansion.MeanCorrection;

/// <summary>Gives every expert a bias that absorbs the mean output error of its cluster.</summary>
internal sealed record MeanCorrectionStep(MeanCorrectionOptions Options) : IExpansionStep
{
    public string SettingName => "mean correction";

    public string Setting => $"{Options}";

    public void Validate(ExpansionRequest request)
    {
        if (request.Steps.FirstOrDefault(step => step.NeedsDenseInputs) is { } other)
        {
            throw new InvalidOperationException(
                $"CorrectMeans does not go with {other.SettingName}, which brings outputs nearer to those of the dense model, means included. Leave one of them out.");
        }
    }

    public void OnRouted(GroupRun group)
    {
        ExpertMeans means = LayerErrors.Named(group.Name, "mean correction", () => ExpertMeans.Of(
            group.Tokens, group.Pruner.Layer.InFeatures, Options.MinimumTokens, group.Pruner.Layer.Device,
            group.Run.CancellationToken));
        group.Steps.Add(new GroupCorrection(group, means)); // First: the group frees the means of its steps.
        group.StatisticTokens = group.Pruner.Divide(group.Captured, group.Assignment!, means.Values);
    }

    /// <summary>The tokens pass once more, for their means.</summary>
    public StepCost Cost(WorkSize size) => new()
    {
        PruningBytes = (rows, features, experts) => sizeof(float) * size.Experts * (rows + (2 * features)),
        PruningOperations = width => size.Tokens * (double)width.Key,
    };
}
