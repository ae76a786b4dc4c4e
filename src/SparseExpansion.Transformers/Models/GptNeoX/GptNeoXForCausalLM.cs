using SparseExpansion.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>GPT-NeoX and Pythia.</summary>
internal sealed class GptNeoXForCausalLM : CausalLanguageModel
{
    private readonly GptNeoXModel gpt_neox;
    private readonly Module<Tensor, Tensor>? embed_out;

    public GptNeoXForCausalLM(ModelConfig config, WeightPlacement placement) : base(nameof(GptNeoXForCausalLM), config)
    {
        gpt_neox = new GptNeoXModel(config, Rotary, placement);
        embed_out = config.TieWordEmbeddings
            ? null
            : placement.Linear(config.HiddenSize, config.VocabularySize, bias: false);
        RegisterComponents();
    }

    internal override TokenEmbedding Embedding => gpt_neox.embed_in;

    internal override ModuleList<DecoderBlock> BlockList => gpt_neox.layers;

    internal override Module<Tensor, Tensor> FinalNorm => gpt_neox.final_layer_norm;

    internal override Module<Tensor, Tensor>? Head => embed_out;

    internal override (string Embedding, string Head) TiedNames => ("gpt_neox.embed_in.weight", "embed_out.weight");
}
