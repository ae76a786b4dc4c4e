using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder;
using SparseExpansion.Transformers.Decoder.Modules;
using SparseExpansion.Transformers.Decoder.Passes;
using SparseExpansion.Transformers.Loading;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>
/// A decoder-only language model of any supported family. Names of modules and parameters are those of Hugging Face, so
/// that <c>state_dict()</c> has the keys of the checkpoint. Where embeddings are tied there is one matrix, listed under
/// the name of the embedding only (<c>model.embed_tokens.weight</c>). Weights of linears are [outputs, inputs], also
/// where the checkpoint stores them transposed (GPT-2).
/// </summary>
public sealed class CausalLanguageModel : Module<Tensor, Tensor>
{
    private readonly DecoderStack _stack;

    private CausalLanguageModel(ModelConfig config, WeightPlacement placement) : base(nameof(CausalLanguageModel))
    {
        Config = config;
        Names = ModelFamilies.Of(config.ModelType).Names;
        _stack = new DecoderStack(this, config, placement);
    }

    /// <summary>The architecture.</summary>
    public ModelConfig Config { get; }

    /// <summary>Device that holds the weights.</summary>
    public Device Device => _stack.Device;

    /// <summary>
    /// The transformer blocks in order: each maps hidden states [batch, sequence, hidden] to the same shape.
    /// </summary>
    public IReadOnlyList<Module<Tensor, Tensor>> Blocks => [.. _stack.Blocks];

    internal ModuleNames Names { get; }

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

        return new CausalLanguageModel(config, new WeightPlacement(device ?? CPU, dtype));
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

    /// <summary>Logits of the last of the new tokens, which takes less memory than those of all.</summary>
    /// <returns>[batch, 1, vocabulary], float32, a new tensor.</returns>
    internal Tensor PredictNext(Tensor input, KeyValueCache cache) => Run(input, cache, onlyLast: true);

    /// <summary>An empty cache for <see cref="forward(Tensor, KeyValueCache)"/>; the caller disposes it.</summary>
    /// <param name="padding">For a batch of sequences of different lengths: how many tokens at the beginning of each are
    /// padding, which no other token sees and which has no position. Null: none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public KeyValueCache CreateCache(IReadOnlyList<int>? padding = null)
    {
        foreach (int tokens in padding ?? [])
        {
            ArgumentOutOfRangeException.ThrowIfNegative(tokens, nameof(padding));
        }

        return new KeyValueCache(Config, padding, Device);
    }

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
    /// norms scale by 1, biases are 0.
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
                bool isOne = Config.Norm != NormKind.RmsAroundOne && !name.EndsWith("bias", StringComparison.Ordinal);
                parameter.fill_(Scalars.Of(isOne ? 1 : 0));
            }
        }
    }

    /// <summary>Does nothing: children have the names of the checkpoint, not those of fields.</summary>
    protected override void RegisterComponents()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stack.Dispose();
        }

        base.Dispose(disposing);
    }

    private Tensor Run(Tensor input, KeyValueCache? cache, bool onlyLast = false)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Dimensions != 2 || input.dtype != ScalarType.Int64 || input.numel() == 0)
        {
            throw new ArgumentException(
                $"Token ids must be int64 [batch, sequence] and not empty; got {input.dtype} [{string.Join(", ", input.shape)}].", nameof(input));
        }

        if (cache?.Padding is { } padding && padding.size(0) != input.size(0))
        {
            throw new ArgumentException(
                $"The cache was made with the padding of {padding.size(0)} sequences; the input has {input.size(0)}.", nameof(input));
        }

        using var scope = NewDisposeScope();
        using var pass = new ForwardPass(cache, input.size(1), Device);
        Tensor hidden = _stack.Embed(input, pass);
        foreach (DecoderBlock block in _stack.Blocks)
        {
            Tensor next = cache is null ? block.call(hidden) : block.Run(hidden, pass);
            if (!ReferenceEquals(next, hidden)) // A hook may have handed the input on.
            {
                hidden.Dispose();
            }

            hidden = next;
        }

        cache?.Advance(input.size(1));
        return _stack.Predict(onlyLast ? hidden.narrow(1, input.size(1) - 1, 1) : hidden).MoveToOuterDisposeScope();
    }
}
