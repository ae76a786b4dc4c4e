using SparseExpansion.Inference.Decoder;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Models;
using SparseExpansion.Models.Families;

namespace SparseExpansion.Inference.Loading;

/// <summary>Makes a decoder of its parts, under the names that the model's family gives them.</summary>
/// <param name="config">The architecture.</param>
/// <param name="parts">Where the parts come from.</param>
internal sealed class DecoderLoader(ModelConfig config, IPartSource parts)
{
    private readonly ModuleNames _names = ModelFamilies.Of(config.ModelType).Names;

    /// <summary>Asks for all parts, and puts them together.</summary>
    /// <exception cref="CheckpointException">A part cannot be made.</exception>
    public DecoderStack Make()
    {
        int width = config.EmbeddingSize ?? config.HiddenSize;
        bool isProjected = width != config.HiddenSize;
        MatrixLinear embedding = parts.Matrix($"{_names.Root}.{_names.Embedding}", config.VocabularySize, width, bias: false);
        return new DecoderStack
        {
            Config = config,
            Embedding = embedding,
            Positions = config.LearnedPositionOffset is { } offset
                ? parts.Matrix($"{_names.Root}.{_names.Positions}", offset + config.MaxPositions, config.HiddenSize, bias: false)
                : null,
            ProjectIn = isProjected ? parts.Linear($"{_names.Root}.{_names.ProjectIn}", config.HiddenSize, width, bias: false) : null,
            ProjectOut = isProjected ? parts.Linear($"{_names.Root}.{_names.ProjectOut}", width, config.HiddenSize, bias: false) : null,
            Blocks = [.. Enumerable.Range(0, config.LayerCount).Select(Block)],
            FinalNorm = config.HasFinalNorm
                ? MakeNorm($"{_names.Root}.{_names.FinalNorm}", config.HiddenSize, config.NormBias)
                : null,
            Head = config.TieWordEmbeddings
                ? embedding
                : parts.Linear(_names.Head, config.VocabularySize, width, config.HeadBias),
        };
    }

    private DecoderBlock Block(int layer)
    {
        string path = $"{_names.Root}.{_names.Layers}.{layer}";
        bool isAfter = config.Layout is BlockLayout.SandwichNorm or BlockLayout.BranchNorm;
        Norm? NormIf(bool exists, string name) =>
            exists ? MakeNorm($"{path}.{name}", config.HiddenSize, config.NormBias) : null;
        var norms = new BlockNorms(
            NormIf(config.Layout != BlockLayout.BranchNorm, _names.Norms.Attention),
            NormIf(isAfter, _names.Norms.AfterAttention),
            NormIf(config.Layout is not (BlockLayout.BranchNorm or BlockLayout.ParallelSharedNorm), _names.Norms.FeedForward),
            NormIf(isAfter, _names.Norms.AfterFeedForward));
        return new DecoderBlock(config, Attention($"{path}.{_names.Attention}", layer), FeedForwardOf(path, layer), norms);
    }

    private SelfAttention Attention(string path, int layer)
    {
        AttentionNames names = _names.AttentionParts;
        int queries = config.HeadCount * config.HeadDimension, keys = config.KeyValueHeadCount * config.HeadDimension;
        bool bias = config.QueryKeyValueBias, hasNorms = config.QueryKeyNorm != QueryKeyNorm.None;
        Linear Part(string name, int rows) => parts.Linear($"{path}.{name}", rows, config.HiddenSize, bias);
        HeadProjection projection = names switch
        {
            { Fused: null } => new SideBySideProjection(
                Part(names.Query, queries), Part(names.Key, keys), Part(names.Value, keys)),
            { FusedLayout: FusedLayout.ByHead } => new ByHeadProjection(
                Part(names.Fused, queries + (2 * keys)), config.HeadCount, config.HeadDimension),
            _ => new SideBySideProjection(Part(names.Fused, queries + (2 * keys))),
        };
        return new SelfAttention(
            config, layer, projection, parts.Linear($"{path}.{names.Output}", config.HiddenSize, queries, config.AttentionOutputBias),
            hasNorms ? HeadNormOf($"{path}.{names.QueryNorm}", config.HeadCount) : null,
            hasNorms ? HeadNormOf($"{path}.{names.KeyNorm}", config.KeyValueHeadCount) : null);
    }

    private HeadNorm HeadNormOf(string path, int heads)
    {
        int width = config.HeadDimension;
        return config.QueryKeyNorm switch
        {
            QueryKeyNorm.PerHead => new HeadNorm([MakeNorm(path, width, config.NormBias)], width),
            QueryKeyNorm.AllHeads => new HeadNorm([MakeNorm(path, heads * width, config.NormBias)], heads * width),
            _ => new HeadNorm(
                [.. Enumerable.Range(0, heads).Select(head => MakeNorm($"{path}.norms.{head}", width, bias: false))], width),
        };
    }

    private FeedForward FeedForwardOf(string block, int layer)
    {
        string path = _names.FeedForward.Length == 0 ? block : $"{block}.{_names.FeedForward}";
        if (!config.Layers[layer].HasExperts)
        {
            return DenseFeedForwardOf(path, config.IntermediateSize, _names.FeedForwardParts);
        }

        ExpertRouting routing = config.Experts!;

        return new RoutedFeedForward(
            routing, parts.Dense($"{path}.{_names.Router}", routing.Count, config.HiddenSize),
            [.. Enumerable.Range(0, routing.Count).Select(expert =>
                DenseFeedForwardOf($"{path}.{_names.Experts}.{expert}", routing.IntermediateSize, _names.ExpertParts))]);
    }

    private DenseFeedForward DenseFeedForwardOf(string path, int width, FeedForwardNames names)
    {
        bool bias = config.FeedForwardBias;
        Linear Part(string name, int rows) => parts.Linear($"{path}.{name}", rows, config.HiddenSize, bias);
        Linear[] inner = names.FusedGateUp is { } fused ? [Part(fused, 2 * width)]
            : config.HasGate ? [Part(names.Gate!, width), Part(names.Up, width)]
            : [Part(names.Up, width)];
        return new DenseFeedForward(
            config.Activation, inner, parts.Linear($"{path}.{names.Down}", config.HiddenSize, width, bias));
    }

    private Norm MakeNorm(string path, int size, bool bias) => new(
        config.Norm, config.NormEpsilon, parts.Numbers($"{path}.weight", size),
        bias && config.Norm == NormKind.Layer ? parts.Numbers($"{path}.bias", size) : []);
}
