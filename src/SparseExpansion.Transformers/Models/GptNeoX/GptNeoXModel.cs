using SparseExpansion.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Modules that checkpoints keep under "gpt_neox.": embedding, blocks and final norm.</summary>
internal sealed class GptNeoXModel : Module
{
    internal readonly TokenEmbedding embed_in;
    internal readonly ModuleList<DecoderBlock> layers;
    internal readonly Module<Tensor, Tensor> final_layer_norm;

    public GptNeoXModel(ModelConfig config, RotaryTable rotary, WeightPlacement placement) : base(nameof(GptNeoXModel))
    {
        embed_in = new TokenEmbedding(config.VocabularySize, config.HiddenSize, placement);
        layers = new ModuleList<DecoderBlock>(
            [.. Enumerable.Range(0, config.LayerCount).Select(layer => new GptNeoXBlock(config, layer, rotary, placement))]);
        final_layer_norm = new BiasedLayerNorm(config.HiddenSize, config.NormEpsilon, placement);
        RegisterComponents();
    }
}
