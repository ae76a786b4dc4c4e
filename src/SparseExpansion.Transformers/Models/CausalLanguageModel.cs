using SparseExpansion.Models;
using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>
/// A decoder-only language model. Names of modules and parameters are those of Hugging Face, so that
/// <c>state_dict()</c> has the keys of the checkpoint. Where embeddings are tied there is one matrix, listed under the
/// name of the embedding only (<c>model.embed_tokens.weight</c>, <c>gpt_neox.embed_in.weight</c>).
/// </summary>
public abstract class CausalLanguageModel : Module<Tensor, Tensor>
{
    private readonly RotaryTable _rotary;

    private protected CausalLanguageModel(string name, ModelConfig config) : base(name)
    {
        Config = config;
        _rotary = new RotaryTable(config.Rotary);
    }

    /// <summary>The architecture.</summary>
    public ModelConfig Config { get; }

    /// <summary>Device that holds the weights.</summary>
    public Device Device => Embedding.Weight.device;

    /// <summary>
    /// The transformer blocks in order: each maps hidden states [batch, sequence, hidden] to the same shape.
    /// </summary>
    public IReadOnlyList<Module<Tensor, Tensor>> Blocks => [.. BlockList];

    internal RotaryTable Rotary => _rotary;

    internal abstract TokenEmbedding Embedding { get; }

    internal abstract ModuleList<DecoderBlock> BlockList { get; }

    internal abstract Module<Tensor, Tensor> FinalNorm { get; }

    /// <summary>The output projection, or null where the embedding serves as one.</summary>
    internal abstract Module<Tensor, Tensor>? Head { get; }

    /// <summary>Name of the embedding's and the head's weight in the checkpoint.</summary>
    internal abstract (string Embedding, string Head) TiedNames { get; }

    /// <summary>
    /// Makes a model with unset weights: fill them by <see cref="LoadWeights"/> or <see cref="InitializeWeights"/>.
    /// </summary>
    /// <param name="config">The architecture.</param>
    /// <param name="device">Device for the weights; null means the CPU.</param>
    /// <param name="dtype">Type of the weights: float32, float64, bfloat16 or float16. Default float32. float16 is very
    /// slow on CPUs.</param>
    public static CausalLanguageModel Create(
        ModelConfig config, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (dtype is not (ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16))
        {
            throw new ArgumentOutOfRangeException(
                nameof(dtype), dtype, "Weights are float32, float64, bfloat16 or float16.");
        }

        var placement = new WeightPlacement(device ?? CPU, dtype);
        return config.Architecture switch
        {
            ModelArchitecture.Llama => new LlamaForCausalLM(config, placement),
            ModelArchitecture.GptNeoX => new GptNeoXForCausalLM(config, placement),
            _ => throw new ArgumentOutOfRangeException(nameof(config), config.Architecture, "Unknown architecture."),
        };
    }

    /// <summary>Logits of every position.</summary>
    /// <param name="input">Token ids [batch, sequence], int64, on the model's device.</param>
    /// <returns>[batch, sequence, vocabulary], float32, a new tensor.</returns>
    public override Tensor forward(Tensor input) => Run(input, null);

    /// <summary>Logits of the tokens that follow those in the cache; adds them to it.</summary>
    /// <param name="input">Token ids [batch, new tokens], int64, on the model's device.</param>
    /// <param name="cache">Made by <see cref="CreateCache"/>; always used with the same batch.</param>
    /// <returns>[batch, new tokens, vocabulary], float32, a new tensor.</returns>
    public Tensor forward(Tensor input, KeyValueCache cache)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return cache.LayerCount == Config.LayerCount
            ? Run(input, cache)
            : throw new ArgumentException(
                $"The cache has {cache.LayerCount} layers; the model has {Config.LayerCount}.", nameof(cache));
    }

    /// <summary>An empty cache for <see cref="forward(Tensor, KeyValueCache)"/>; the caller disposes it.</summary>
    public KeyValueCache CreateCache() => new(Config.LayerCount);

    /// <summary>Copies weights into the model, converting between floating types.</summary>
    /// <param name="weights"> Exactly the tensors of <c>state_dict()</c>; with tied embeddings under the embedding's
    /// name, the head's or both. They are not kept.
    /// </param>
    /// <param name="source">Their origin, for messages.</param>
    /// <exception cref="CheckpointException">Tensors are missing, unexpected, given twice, or of another shape or kind
    /// of dtype; the message names them.</exception>
    public void LoadWeights(IEnumerable<KeyValuePair<string, Tensor>> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(weights);
        WeightLoader.Load(this, weights, source);
    }

    /// <summary>
    /// Sets the weights of a model that is to be trained from scratch: normal with the config's standard deviation;
    /// norms 1, biases 0.
    /// </summary>
    /// <param name="seed">Seed of the random numbers; equal seeds give equal weights on one device.</param>
    public void InitializeWeights(long seed)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach ((string name, Parameter parameter) in named_parameters())
        {
            using var generator = new Generator((ulong)seed, parameter.device);
            if (parameter.Dimensions > 1)
            {
                parameter.normal_(0, Config.InitializerRange, generator);
                seed = unchecked(seed + 1);
            }
            else
            {
                parameter.fill_(Scalars.Of(name.EndsWith("bias", StringComparison.Ordinal) ? 0 : 1));
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rotary.Dispose();
        }

        base.Dispose(disposing);
    }

    private Tensor Run(Tensor input, KeyValueCache? cache)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Dimensions != 2 || input.dtype != ScalarType.Int64 || input.numel() == 0)
        {
            throw new ArgumentException(
                $"Token ids must be int64 [batch, sequence] and not empty; got {input.dtype} [{string.Join(", ", input.shape)}].", nameof(input));
        }

        using var scope = NewDisposeScope();
        Tensor hidden = Embedding.call(input);
        foreach (DecoderBlock block in BlockList)
        {
            Tensor next = cache is null ? block.call(hidden) : block.Run(hidden, cache);
            if (!ReferenceEquals(next, hidden)) // A hook may have handed the input on.
            {
                hidden.Dispose();
            }

            hidden = next;
        }

        cache?.Advance(input.size(1));
        Tensor normed = FinalNorm.call(hidden);
        Tensor logits = Head is null ? functional.linear(normed, Embedding.Weight) : Head.call(normed);
        return logits.to(float32).MoveToOuterDisposeScope();
    }
}
