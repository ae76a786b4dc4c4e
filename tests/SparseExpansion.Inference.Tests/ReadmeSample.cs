using SparseExpansion.Models;

namespace SparseExpansion.Inference;

/// <summary>What the package's README shows.</summary>
internal static class ReadmeSample
{
    public static async Task StreamAsync(string folder, TextWriter output)
    {
        #region stream
        using InferenceModel model = InferenceModel.Load(folder);
        TextTokenizer tokenizer = TextTokenizer.Load(folder);
        var options = new GenerationOptions { MaxNewTokens = 32 };
        await foreach (string piece in ManagedGenerator.StreamAsync(model, tokenizer, "Once upon a time", options))
        {
            await output.WriteAsync(piece);
        }

        #endregion
    }
}
