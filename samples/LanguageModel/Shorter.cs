using SparseExpansion;
using SparseExpansion.Expansion;
using SparseExpansion.Models;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Transformers;

/// <summary>Shorter variants of <c>Program.cs</c>, and streamed text.</summary>
internal static class Shorter
{
    public static void Hello(string folder, string output, string text)
    {
        #region hello
        using CausalLanguageModel model = PretrainedModel.Load(folder); // config.json, safetensors, tokenizer
        TextTokenizer tokenizer = TextTokenizer.Load(folder);
        using ExpansionResult result = model.Expand()
            .Blocks(m => m.Blocks)
            .Targets("*.mlp.*")
            .RouteWith(new PcaKMeansOptions { Experts = 16 })
            .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
            .CalibrateOn(TokenWindows.FromText(File.ReadAllText(text), tokenizer, context: 256))
            .Run();
        result.SavePretrained(output, source: folder); // PretrainedModel.Load reads it like any other checkpoint
        #endregion
    }

    public static void InOneLine(string folder, string output, string text)
    {
        #region in-one-line
        PretrainedModel.Expand(folder, output, File.ReadAllText(text), SparsityTarget.Unstructured(0.5));
        #endregion
    }

    public static void WithOptions(string folder, string output, string text)
    {
        #region in-one-line-with-options
        var options = new PretrainedExpansionOptions
        {
            Recipe = LanguageModelRecipe.Best,
            Context = 1024,
            Progress = step => Console.Error.Write($"\r{step.Fraction:P0}"),
            Configure = builder => builder.Targets("*.mlp.*", "*.self_attn.*").WithSeed(1), // any builder call
        };
        PretrainedModel.Expand(folder, output, File.ReadAllText(text), SparsityTarget.NM(2, 4), options);
        #endregion
    }

    public static void InThreeLines(string folder, string output, string text)
    {
        #region in-three-lines
        using CausalLanguageModel model = PretrainedModel.Load(folder);
        using ExpansionResult result = model.ExpandFeedForward(SparsityTarget.Unstructured(0.5))
            .CalibrateOnText(File.ReadAllText(text), TextTokenizer.Load(folder))
            .Run();
        result.SavePretrained(output, source: folder);
        #endregion
    }

    public static async Task Stream(
        CausalLanguageModel model, TextTokenizer tokenizer, CancellationToken cancellationToken)
    {
        #region stream
        await foreach (string piece in TextGenerator.StreamAsync(model, tokenizer, "Once upon a time", cancellationToken: cancellationToken))
        {
            Console.Write(piece);
        }
        #endregion
    }
}
