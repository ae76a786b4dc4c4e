using SparseExpansion.Cli.Options;
using SparseExpansion.Layers;
using SparseExpansion.Models;
using SparseExpansion.Routing;
using SparseExpansion.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Inspect;

/// <summary>Loads a model and summarizes its linears.</summary>
internal static class ModelInspector
{
    public static ModelSummary Inspect(ModelSource source, CancellationToken cancellationToken)
    {
        using CausalLanguageModel model = source.Load(CPU);
        cancellationToken.ThrowIfCancellationRequested();
        ModelConfig config = source.Config;
        var disk = new DiskSizes(source.Folder);
        LinearSummary[] linears = [.. model.named_modules().Where(entry => entry.module is Linear).Select(entry => Summarize(entry.name, entry.module, ((Linear)entry.module).weight!, disk))];
        LinearSummary embedding = model.named_modules().Where(entry => entry.module is IEmbeddingMatrix)
            .Select(entry => Summarize(entry.name, entry.module, ((IEmbeddingMatrix)entry.module).Weight, disk)).First();
        MixtureSummary[] mixtures = Mixtures(model, disk);
        long parameters = model.parameters().Sum(parameter => parameter.numel()) + PackedWeights(model);
        long shared = parameters - mixtures.Sum(mixture => mixture.Experts * Weights(mixture));
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
            Parameters = parameters,
            DenseParameters = shared + mixtures.Sum(Weights),
            StoredParameters = shared + disk.RouterValues + mixtures.Sum(mixture => NonZero(mixture, mixture.Experts)),
            ActiveParameters = shared + disk.RouterValues + mixtures.Sum(mixture => NonZero(mixture, 1)),
            Linears = linears,
            Embedding = embedding,
            Mixtures = mixtures,
            Totals = Total(linears, mixtures, disk.Routers),
            Decoding = Decode(config, disk, embedding, linears, mixtures),
        };
    }

    /// <summary>Weights of packed experts, including zeros: unlike masked dense ones they are not parameters.</summary>
    private static long PackedWeights(nn.Module model) => model.modules().OfType<SparseMixtureLayer>()
        .Where(layer => layer.IsPacked).Sum(layer => layer.ExpertCount * layer.InFeatures * layer.OutFeatures);

    private static long Weights(MixtureSummary mixture) => mixture.InFeatures * mixture.OutFeatures;

    private static long NonZero(MixtureSummary mixture, int experts) =>
        (long)Math.Round(experts * Weights(mixture) * (1 - mixture.Sparsity));

    private static SizeTotals Total(LinearSummary[] linears, MixtureSummary[] mixtures, long routers)
    {
        long dense = linears.Sum(linear => linear.Bytes);
        return new SizeTotals(
            linears.Sum(linear => linear.BytesOnDisk) + mixtures.Sum(mixture => mixture.BytesOnDisk) + routers,
            dense + mixtures.Sum(mixture => mixture.Bytes) + routers,
            dense + mixtures.Sum(mixture => mixture.BytesPerToken) + routers,
            dense + mixtures.Sum(mixture => mixture.DenseBytes),
            routers);
    }

    private static DecodingSummary Decode(
        ModelConfig config, DiskSizes disk, LinearSummary embedding, LinearSummary[] linears, MixtureSummary[] mixtures)
    {
        // A model that routes among experts of its own reads some of them.
        double Share(string name) => config.Experts is { } own && name.Contains(".experts.", StringComparison.Ordinal)
            ? (double)own.PerToken / own.Count
            : 1;
        long experts = (long)mixtures.Sum(mixture => Share(mixture.Name) * mixture.BytesOnDisk / mixture.Experts);
        long unread = (long)linears.Sum(linear => (1 - Share(linear.Name)) * linear.BytesOnDisk);
        long ownHead = config.TieWordEmbeddings ? 0 : linears.LastOrDefault(linear => linear.OutFeatures == config.VocabularySize)?.BytesOnDisk ?? 0;
        long dense = disk.Total - mixtures.Sum(mixture => mixture.BytesOnDisk) - embedding.BytesOnDisk - ownHead - unread;
        return DecodingSummary.Of(
            experts, config.TieWordEmbeddings ? embedding.BytesOnDisk : ownHead, dense,
            embedding.BytesOnDisk / embedding.OutFeatures, ReadBandwidth.Measure());
    }

    private static LinearSummary Summarize(string name, nn.Module module, Tensor weight, DiskSizes disk) => new(
        name, weight.shape[1], weight.shape[0], disk.Weight(name), weight.numel() * weight.element_size(),
        RoundedWeights.Find(module)?.Quantization.Bits ?? (int)(8 * weight.element_size()));

    private static long ElementSize(SparseMixtureLayer layer)
    {
        using Tensor element = empty(1, dtype: layer.Experts.DType);
        return element.element_size();
    }

    private static MixtureSummary[] Mixtures(nn.Module model, DiskSizes disk)
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
                layer.Name, layer.InFeatures, layer.OutFeatures, layer.ExpertCount, layer.MeasureSparsity(), disk.Experts(layer.Name), layer.ExpertBytes,
                layer.ExpertBytes / layer.ExpertCount, layer.OutFeatures * layer.InFeatures * ElementSize(layer),
                layer.Quantization?.Bits ?? (int)(8 * ElementSize(layer)), kind, groups.IndexOf(layer.InputGroup));
        })];
    }
}
