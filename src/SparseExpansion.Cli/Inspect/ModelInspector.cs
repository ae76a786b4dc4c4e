using SparseExpansion.Layers;
using SparseExpansion.Routing;
using SparseExpansion.Transformers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary>Loads a model and looks at its linears.</summary>
internal static class ModelInspector
{
    public static ModelSummary Inspect(ModelSource source, CancellationToken cancellationToken)
    {
        using CausalLanguageModel model = source.Load(CPU);
        cancellationToken.ThrowIfCancellationRequested();
        ModelConfig config = source.Config;
        return new ModelSummary
        {
            ModelType = config.ModelType,
            Blocks = config.LayerCount,
            HiddenSize = config.HiddenSize,
            IntermediateSize = config.IntermediateSize,
            Heads = config.HeadCount,
            KeyValueHeads = config.KeyValueHeadCount,
            Vocabulary = config.VocabularySize,
            MaxPositions = config.MaxPositions,
            TiedEmbeddings = config.TieWordEmbeddings,
            Expanded = source.IsExpanded,
            Parameters = model.parameters().Sum(parameter => parameter.numel()) + PackedWeights(model),
            Linears = [.. model.named_modules().Where(entry => entry.module is Linear).Select(entry => Summarize(entry.name, (Linear)entry.module))],
            Mixtures = Mixtures(model),
        };
    }

    /// <summary>Weights of packed experts, zeros included: they are no parameters, but masked dense ones are.</summary>
    private static long PackedWeights(nn.Module model) => model.modules().OfType<SparseMixtureLayer>()
        .Where(layer => layer.IsPacked).Sum(layer => layer.ExpertCount * layer.InFeatures * layer.OutFeatures);

    private static LinearSummary Summarize(string name, Linear linear) =>
        new(name, linear.in_features, linear.out_features, linear.weight!.numel() * linear.weight.element_size());

    private static MixtureSummary[] Mixtures(nn.Module model)
    {
        var groups = new List<SharedRouter>();
        return [.. model.modules().OfType<SparseMixtureLayer>().Select(layer =>
        {
            if (!groups.Contains(layer.InputGroup))
            {
                groups.Add(layer.InputGroup);
            }

            IRouter router = layer.InputGroup.Router;
            string kind = router is ICheckpointRouter checkpoint ? checkpoint.GetState().Kind : router.GetType().Name;
            return new MixtureSummary(
                layer.Name, layer.InFeatures, layer.OutFeatures, layer.ExpertCount, layer.MeasureSparsity(), layer.ExpertBytes, kind, groups.IndexOf(layer.InputGroup));
        })];
    }
}
