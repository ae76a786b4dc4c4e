using SparseExpansion.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Llama, Mistral and Qwen2.</summary>
internal sealed class LlamaForCausalLM : CausalLanguageModel
{
    private readonly LlamaModel model;
    private readonly Module<Tensor, Tensor>? lm_head;

    public LlamaForCausalLM(ModelConfig config, WeightPlacement placement) : base(nameof(LlamaForCausalLM), config)
    {
        model = new LlamaModel(config, Rotary, placement);
        lm_head = config.TieWordEmbeddings
            ? null
            : placement.Linear(config.HiddenSize, config.VocabularySize, bias: false);
        RegisterComponents();
    }

    internal override TokenEmbedding Embedding => model.embed_tokens;

    internal override ModuleList<DecoderBlock> BlockList => model.layers;

    internal override Module<Tensor, Tensor> FinalNorm => model.norm;

    internal override Module<Tensor, Tensor>? Head => lm_head;

    internal override (string Embedding, string Head) TiedNames => ("model.embed_tokens.weight", "lm_head.weight");
}
