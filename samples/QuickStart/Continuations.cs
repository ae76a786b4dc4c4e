using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace QuickStart;

/// <summary>Continuations of texts by a model.</summary>
internal static class Continuations
{
    private static readonly string[] s_prompts = ["Once upon a time there was a little girl", "def count_nodes(nodes):", "# Simple Potatoes Soup\nServes 4\n\nIngredients:"];

    /// <summary>Prints the most probable continuation of a few prompts.</summary>
    public static void Print(string title, SampleModel sample)
    {
        Console.WriteLine(title);
        foreach (string prompt in s_prompts)
        {
            var options = new GenerationOptions { MaxNewTokens = 64 };
            string text = string.Concat(TextGenerator.GenerateText(sample.Model, sample.Tokenizer, prompt, options));
            Console.WriteLine("  " + (prompt + text).Replace("\n", "\n  ", StringComparison.Ordinal));
            Console.WriteLine();
        }
    }
}
