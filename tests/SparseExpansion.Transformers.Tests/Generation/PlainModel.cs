using SparseExpansion.Models;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Generation;

/// <summary>Generation as plainly as possible: every token comes of a forward over the whole text, without a cache.</summary>
internal static class PlainModel
{
    /// <summary>Logits of the token after a text.</summary>
    public static float[] LastLogits(CausalLanguageModel model, IReadOnlyList<int> ids)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor logits = model.call(tensor(ids.Select(id => (long)id).ToArray()).unsqueeze(0));
        return logits[0, ids.Count - 1].data<float>().ToArray();
    }

    /// <summary>Logarithms of the probabilities of the token after a text.</summary>
    public static double[] LogProbabilities(CausalLanguageModel model, IReadOnlyList<int> ids)
    {
        float[] logits = LastLogits(model, ids);
        double largest = logits.Max();
        double total = largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
        return [.. logits.Select(logit => logit - total)];
    }

    /// <summary>The most probable token after a text.</summary>
    public static int ArgMax(CausalLanguageModel model, IReadOnlyList<int> ids)
    {
        float[] logits = LastLogits(model, ids);
        return Array.IndexOf(logits, logits.Max());
    }

    /// <summary>
    /// Continues a prompt with the most probable tokens. A text longer than the context loses its oldest tokens, the
    /// start token apart, so that half of the context is left.
    /// </summary>
    public static int[] Continue(CausalLanguageModel model, IEnumerable<int> prompt, int count)
    {
        int context = model.Config.MaxPositions;
        int[] text = [.. prompt];
        var generated = new List<int>();
        while (generated.Count < count)
        {
            if (text.Length > context)
            {
                text = text[0] == model.Config.BosId ? [text[0], .. text[^(context / 2 - 1)..]] : text[^(context / 2)..];
            }

            int next = ArgMax(model, text);
            generated.Add(next);
            text = [.. text, next];
        }

        return [.. generated];
    }

    /// <summary>Random ids without those that are special in the fixtures.</summary>
    public static int[] Prompt(CausalLanguageModel model, int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(3, model.Config.VocabularySize))];
    }

    /// <summary>A tiny model, with weights so large that positions matter.</summary>
    public static CausalLanguageModel Make(RotaryOptions rotary, int context = 64)
    {
        CausalLanguageModel model = CausalLanguageModel.Create(new ModelConfig
        {
            ModelType = "llama",
            VocabularySize = 61,
            HiddenSize = 16,
            IntermediateSize = 24,
            HeadCount = 2,
            KeyValueHeadCount = 1,
            HeadDimension = 8,
            MaxPositions = context,
            Layers = LayerOptions.Repeat(2, rotary),
            InitializerRange = 0.6,
        });
        model.InitializeWeights(seed: 3);
        return model;
    }
}
