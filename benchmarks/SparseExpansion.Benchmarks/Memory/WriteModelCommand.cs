using System.Globalization;
using SparseExpansion.Benchmarks.Decode;
using SparseExpansion.Serialization;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Memory;

/// <summary>
/// <c>write-model FOLDER [BLOCKS [WINDOWS [CONTEXT]]]</c>: a checkpoint of random bfloat16 weights with the shapes of
/// TinyLlama-1.1B, and calibration tokens.
/// </summary>
internal static class WriteModelCommand
{
    public static int Run(string[] args)
    {
        string folder = args[0];
        int blocks = Number(args, 1, 2), windows = Number(args, 2, 32), context = Number(args, 3, 256);
        Directory.CreateDirectory(folder);
        using CausalLanguageModel model = LargeModel.Create(blocks);
        using var scope = NewDisposeScope();
        File.WriteAllText(
            Path.Combine(folder, ModelFolder.ConfigFile),
            LargeModel.ConfigText(blocks).Replace("float32", "bfloat16", StringComparison.Ordinal));
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.to(ScalarType.BFloat16)));
        using var generator = new Generator(3);
        SafetensorsWriter.Write(
            Path.Combine(folder, "tokens.safetensors"),
            [KeyValuePair.Create("calibration", randint(0, model.Config.VocabularySize, [windows, context], dtype: ScalarType.Int64, generator: generator))]);
        return 0;
    }

    private static int Number(string[] args, int index, int standard) =>
        args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : standard;
}
