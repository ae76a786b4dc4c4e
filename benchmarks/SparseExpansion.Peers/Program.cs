using SparseExpansion.Comparison;
using SparseExpansion.Comparison.Serving;
using SparseExpansion.Peers;

// serve NAME=FILE.gguf … [--library avx512|avx2|avx|default]: answers requests on standard input.
try
{
    if (args is not ["serve", .. var rest])
    {
        throw new FormatException("Use: serve NAME=FILE.gguf … [--library avx512|avx2|avx|default].");
    }

    ServerArguments arguments = ServerArguments.Parse(rest, "--library");
    LlamaLibrary.Select(arguments.Option ?? LlamaLibrary.Default);
    Dictionary<string, IServedModel> models = arguments.Models.ToDictionary(
        item => item.Key, item => (IServedModel)new LlamaModel(item.Value));
    new ServerLoop(models, LlamaLibrary.Describe(), new SpeedMeter(ModelShape.TinyLlama.Vocabulary))
        .Run(Console.In, Console.Out);
    return 0;
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
