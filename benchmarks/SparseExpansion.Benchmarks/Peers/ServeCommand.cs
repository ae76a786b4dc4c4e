using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Comparison;
using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Benchmarks.Peers;

/// <summary>serve NAME=FOLDER … [--engine torch]: our side of the comparison, asked on standard input.</summary>
internal static class ServeCommand
{
    private const string Torch = "torch";

    public static int Run(string[] args)
    {
        try
        {
            ServerArguments arguments = ServerArguments.Parse(args, "--engine");
            Dictionary<string, IServedModel> models = arguments.Models.ToDictionary(
                item => item.Key, item => Load(arguments.Option ?? Torch, item.Value));
            new ServerLoop(models, Machine.Describe(), new SpeedMeter(ModelShape.TinyLlama.Vocabulary))
                .Run(Console.In, Console.Out);
            return 0;
        }
        catch (FormatException error)
        {
            Console.Error.WriteLine($"serve: {error.Message}");
            return 1;
        }
    }

    private static IServedModel Load(string engine, string folder) => engine switch
    {
        Torch => new TorchModel(folder),
        _ => throw new FormatException($"There is no engine '{engine}'; use {Torch}."),
    };
}
