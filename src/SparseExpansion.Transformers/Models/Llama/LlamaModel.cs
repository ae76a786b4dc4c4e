using SparseExpansion.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Modules that checkpoints keep under "model.": embedding, blocks and final norm.</summary>
internal sealed class LlamaModel : Module
{
    internal readonly TokenEmbedding embed_tokens;
    internal readonly ModuleList<DecoderBlock> layers;
    internal readonly Module<Tensor, Tensor> norm;

    public LlamaModel(ModelConfig config, RotaryTable rotary, WeightPlacement placement) : base(nameof(LlamaModel))
    {
        embed_tokens = new TokenEmbedding(config.VocabularySize, config.HiddenSize, placement);
        layers = new ModuleList<DecoderBlock>(
            [.. Enumerable.Range(0, config.LayerCount).Select(layer => new LlamaBlock(config, layer, rotary, placement))]);
        norm = new RmsNorm(config.HiddenSize, config.NormEpsilon, placement);
        RegisterComponents();
    }
}
