using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Modules;
using SparseExpansion.Transformers.Decoder.Norms;
using SparseExpansion.Transformers.Decoder.Passes;
using SparseExpansion.Transformers.Decoder.Positions;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder;

/// <summary>
/// The parts of a language model: embeddings, blocks, final norm, output projection. They are registered below another
/// module, under their checkpoint names, and belong to it.
/// </summary>
internal sealed class DecoderStack : Module
{
    private readonly ModelConfig _config;
    private readonly Dictionary<RotaryOptions, RotaryTable> _rotary = [];
    private readonly TokenEmbedding _embedding;
    private readonly PositionEmbedding? _positions;
    private readonly Module<Tensor, Tensor>? _projectIn;
    private readonly Module<Tensor, Tensor>? _projectOut;
    private readonly Module<Tensor, Tensor>? _finalNorm;
    private readonly Module<Tensor, Tensor>? _head;

    /// <param name="root">The module that the parts are registered below.</param>
    /// <param name="config">The architecture.</param>
    /// <param name="placement">Device and type of the weights.</param>
    public DecoderStack(Module root, ModelConfig config, WeightPlacement placement) : base(nameof(DecoderStack))
    {
        _config = config;
        ModuleNames names = ModelFamilies.Of(config.ModelType).Names;
        Module body = ModuleGroup.At(root, names.Root);
        int width = config.EmbeddingSize ?? config.HiddenSize;
        _embedding = body.Add(names.Embedding, new TokenEmbedding(config.VocabularySize, width, placement, config.TieWordEmbeddings));
        if (config.LearnedPositionOffset is { } offset)
        {
            _positions = body.Add(
                names.Positions, new PositionEmbedding(config.MaxPositions, offset, config.HiddenSize, placement));
        }

        if (width != config.HiddenSize)
        {
            _projectIn = body.Add(names.ProjectIn, placement.Linear(width, config.HiddenSize, bias: false));
            _projectOut = body.Add(names.ProjectOut, placement.Linear(config.HiddenSize, width, bias: false));
        }

        Blocks = body.Add(names.Layers, new ModuleList<DecoderBlock>(
            [.. Enumerable.Range(0, config.LayerCount).Select(layer => new DecoderBlock(config, layer, TableOf(config.Layers[layer].Rotary), names, placement))]));
        _finalNorm = config.HasFinalNorm
            ? body.Add(names.FinalNorm, Norm.Create(config, config.HiddenSize, config.NormBias, placement))
            : null;
        _head = config.TieWordEmbeddings
            ? null
            : root.Add(names.Head, placement.Linear(width, config.VocabularySize, config.HeadBias));
    }

    /// <summary>The transformer blocks.</summary>
    public ModuleList<DecoderBlock> Blocks { get; }

    /// <summary>Device that holds the weights.</summary>
    public Device Device => _embedding.Weight.device;

    /// <summary>Hidden states that the first block reads.</summary>
    /// <param name="input">Token ids [batch, tokens].</param>
    /// <param name="pass">Where they stand.</param>
    public Tensor Embed(Tensor input, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = _embedding.call(input);
        if (_config.EmbeddingScale != 1)
        {
            hidden = hidden * tensor(_config.EmbeddingScale, dtype: hidden.dtype, device: hidden.device);
        }

        hidden = _projectIn is null ? hidden : _projectIn.call(hidden);
        return (_positions is null ? hidden : hidden.Plus(_positions.Of(pass.Start, pass.Tokens, pass.Positions, pass.LongestLength))).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of hidden states that the last block gave.</summary>
    /// <param name="hidden">[batch, tokens, hidden].</param>
    /// <returns>[batch, tokens, vocabulary], float32.</returns>
    public Tensor Predict(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        Tensor normed = _finalNorm is null ? hidden : _finalNorm.call(hidden);
        normed = _projectOut is null ? normed : _projectOut.call(normed);
        Tensor logits = _head is null ? _embedding.Project(normed) : _head.call(normed);
        logits = logits.to(float32);
        logits = _config.LogitScale == 1 ? logits : logits * Scalars.Of(_config.LogitScale);
        if (_config.LogitSoftCap is { } cap)
        {
            logits = (logits / Scalars.Of(cap)).tanh() * Scalars.Of(cap);
        }

        return logits.MoveToOuterDisposeScope();
    }

    /// <summary>Does nothing: the parts are children of another module.</summary>
    protected override void RegisterComponents()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (RotaryTable table in _rotary.Values)
            {
                table.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private RotaryTable? TableOf(RotaryOptions? options)
    {
        if (options is null)
        {
            return null;
        }

        if (!_rotary.TryGetValue(options, out RotaryTable? table))
        {
            table = new RotaryTable(options);
            _rotary.Add(options, table);
        }

        return table;
    }
}
