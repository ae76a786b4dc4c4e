using SparseExpansion.Execution;
using SparseExpansion.Inference.Decoder;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Models;
using SparseExpansion.Models.Families;

namespace SparseExpansion.Inference.Loading;

/// <summary>Makes a decoder of the tensors of a folder, under the names that the model's family gives them.</summary>
/// <param name="config">The architecture.</param>
/// <param name="weights">Dense weights.</param>
/// <param name="mixtures">Mixtures and weights in codes; null: the folder is dense.</param>
internal sealed class DecoderLoader(ModelConfig config, WeightSource weights, MixtureSource? mixtures)
{
    private readonly ModuleNames _names = ModelFamilies.Of(config.ModelType).Names;
    private readonly List<IDisposable> _made = [];

    /// <summary>The layers that were made whose weights may be in codes.</summary>
    public IReadOnlyList<ICodedLinear> Coded => [.. _made.OfType<ICodedLinear>()];

    /// <summary>Loads.</summary>
    /// <exception cref="CheckpointException">Tensors are missing, unexpected, damaged, or of another shape or
    /// type.</exception>
    public DecoderStack Load()
    {
        try
        {
            DecoderStack stack = Make();
            mixtures?.RequireNothingLeft();
            weights.RequireNothingLeft();
            return stack;
        }
        catch
        {
            _made.ForEach(part => part.Dispose());
            throw;
        }
    }

    private DecoderStack Make()
    {
        int width = config.EmbeddingSize ?? config.HiddenSize;
        bool isProjected = width != config.HiddenSize;
        MatrixLinear embedding = Matrix($"{_names.Root}.{_names.Embedding}", config.VocabularySize, width, bias: false);
        return new DecoderStack
        {
            Config = config,
            Embedding = embedding,
            Positions = config.LearnedPositionOffset is { } offset
                ? Matrix($"{_names.Root}.{_names.Positions}", offset + config.MaxPositions, config.HiddenSize, bias: false)
                : null,
            ProjectIn = isProjected ? Linear($"{_names.Root}.{_names.ProjectIn}", config.HiddenSize, width, bias: false) : null,
            ProjectOut = isProjected ? Linear($"{_names.Root}.{_names.ProjectOut}", width, config.HiddenSize, bias: false) : null,
            Blocks = [.. Enumerable.Range(0, config.LayerCount).Select(Block)],
            FinalNorm = config.HasFinalNorm
                ? MakeNorm($"{_names.Root}.{_names.FinalNorm}", config.HiddenSize, config.NormBias)
                : null,
            Head = config.TieWordEmbeddings
                ? embedding
                : Linear(_names.Head, config.VocabularySize, width, config.HeadBias),
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
        Linear Part(string name, int rows) => Linear($"{path}.{name}", rows, config.HiddenSize, bias);
        HeadProjection projection = names switch
        {
            { Fused: null } => new SideBySideProjection(
                Part(names.Query, queries), Part(names.Key, keys), Part(names.Value, keys)),
            { FusedLayout: FusedLayout.ByHead } => new ByHeadProjection(
                Part(names.Fused, queries + (2 * keys)), config.HeadCount, config.HeadDimension),
            _ => new SideBySideProjection(Part(names.Fused, queries + (2 * keys))),
        };
        return new SelfAttention(
            config, layer, projection, Linear($"{path}.{names.Output}", config.HiddenSize, queries, config.AttentionOutputBias),
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

        // The model's own router is never in codes or a mixture.
        NativeArray router = weights.Matrix($"{path}.{_names.Router}.weight", routing.Count, config.HiddenSize);
        return new RoutedFeedForward(
            routing, Made(new DenseLinear(router, null, config.HiddenSize, routing.Count)),
            [.. Enumerable.Range(0, routing.Count).Select(expert =>
                DenseFeedForwardOf($"{path}.{_names.Experts}.{expert}", routing.IntermediateSize, _names.ExpertParts))]);
    }

    private DenseFeedForward DenseFeedForwardOf(string path, int width, FeedForwardNames names)
    {
        bool bias = config.FeedForwardBias;
        Linear Part(string name, int rows) => Linear($"{path}.{name}", rows, config.HiddenSize, bias);
        Linear[] inner = names.FusedGateUp is { } fused ? [Part(fused, 2 * width)]
            : config.HasGate ? [Part(names.Gate!, width), Part(names.Up, width)]
            : [Part(names.Up, width)];
        return new DenseFeedForward(
            config.Activation, inner, Linear($"{path}.{names.Down}", config.HiddenSize, width, bias));
    }

    private Linear Linear(string path, int rows, int columns, bool bias) =>
        mixtures?.TakeMixture(path, rows, columns, bias) is { } mixture
            ? Made(mixture)
            : Matrix(path, rows, columns, bias);

    private MatrixLinear Matrix(string path, int rows, int columns, bool bias)
    {
        QuantizedWeight? codes = mixtures?.TakeQuantized(path, rows, columns);
        NativeArray? addend = bias ? weights.Vector($"{path}.bias", rows) : null;
        return codes is not null
            ? Made(new QuantizedLinear(codes, addend))
            : Made(new DenseLinear(weights.Matrix($"{path}.weight", rows, columns), addend, columns, rows));
    }

    private Norm MakeNorm(string path, int size, bool bias) => new(
        config.Norm, config.NormEpsilon, weights.Numbers($"{path}.weight", size),
        bias && config.Norm == NormKind.Layer ? weights.Numbers($"{path}.bias", size) : []);

    private T Made<T>(T part)
        where T : IDisposable
    {
        _made.Add(part);
        return part;
    }
}
