using SparseExpansion.Layers;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace QuickStart;

/// <summary>Distribution of each kind of text over the experts of a layer.</summary>
internal static class ExpertUsage
{
    /// <summary>Prints, for each domain, the percentage of its tokens that each expert gets.</summary>
    public static void Print(SampleModel sample, SparseMixtureLayer layer)
    {
        Console.WriteLine($"Tokens of each domain by expert of {layer.Name}, in percent");
        Console.WriteLine($"  {"expert",-12}" + string.Concat(Enumerable.Range(1, layer.ExpertCount).Select(expert => $"{expert,4}")));
        foreach (string domain in sample.Domains)
        {
            long[] counts = CountTokens(sample.Model, layer, sample.ReadDomain(domain));
            double all = counts.Sum();
            Console.WriteLine($"  {domain,-12}" + string.Concat(counts.Select(count => count == 0 ? "   ." : $"{100 * count / all,4:F0}")));
        }
    }

    /// <summary>Runs the model and counts the router's decisions for every input of the layer.</summary>
    private static long[] CountTokens(CausalLanguageModel model, SparseMixtureLayer layer, TokenWindows windows)
    {
        var counts = new long[layer.ExpertCount];
        var hook = layer.register_forward_pre_hook((_, input) =>
        {
            using Tensor tokens = input.reshape(-1, layer.InFeatures);
            using Tensor experts = layer.InputGroup.Router.Route(tokens);
            foreach (long expert in experts.data<long>())
            {
                counts[expert]++;
            }

            return input;
        });
        try
        {
            Perplexity.Evaluate(model, windows);
        }
        finally
        {
            hook.remove();
        }

        return counts;
    }
}
