using SparseExpansion;
using SparseExpansion.Inference;
using SparseExpansion.Models;

// aot FOLDER: reads lines, continues each, and keeps what was said as the beginning of the next.
if (args.Length != 1)
{
    Console.Error.WriteLine("Usage: Aot FOLDER, a language model in Hugging Face layout, dense or expanded.");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    stop.Cancel();
};

try
{
    using InferenceModel model = InferenceModel.Load(args[0]);
    TextTokenizer tokenizer = TextTokenizer.Load(args[0]);
    var options = new GenerationOptions { MaxNewTokens = 128, Temperature = 0.8, TopP = 0.95, Overflow = ContextOverflow.Slide };
    string text = "";
    Console.Write("> ");
    while (Console.ReadLine() is { Length: > 0 } line)
    {
        text += line;
        await foreach (string piece in ManagedGenerator.StreamAsync(model, tokenizer, text, options, stop.Token))
        {
            text += piece;
            Console.Write(piece);
        }

        Console.Write("\n> ");
    }

    return 0;
}
catch (OperationCanceledException)
{
    return 130;
}
catch (SparseExpansionException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
