using System.Runtime.InteropServices;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Inference;

/// <summary>Tiny models of the families, with what the library that defines them computes.</summary>
internal static class Fixture
{
    /// <summary>All models.</summary>
    public static TheoryData<string> Models => [.. Families, "gpt_neox_parallel", "gpt_neox_sequential", "llama3_scaled_rope", "qwen2_bias_tied"];

    /// <summary>Those with the greedy continuation of a prompt.</summary>
    public static TheoryData<string> Families =>
    [
        "gemma2", "gemma3_text", "gpt2", "granite", "mixtral", "olmo2", "opt", "phi", "phi3", "qwen3", "qwen3_moe",
        "smollm3", "stablelm",
    ];

    public static string Folder(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", name);

    /// <summary>Rows of token ids.</summary>
    public static int[][] Ids(string name, string tensor = "input_ids")
    {
        (long[] values, IReadOnlyList<long> shape) = Read<long>(name, tensor);
        return [.. values.Select(id => (int)id).Chunk((int)shape[1])];
    }

    /// <summary>Logits of each row of ids, [tokens · vocabulary].</summary>
    public static double[][] Logits(string name)
    {
        (double[] values, IReadOnlyList<long> shape) = Read<double>(name, "logits");
        return [.. values.Chunk((int)(shape[1] * shape[2]))];
    }

    /// <summary>‖actual − expected‖ / ‖expected‖.</summary>
    public static double RelativeError(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0, size = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            size += expected[i] * expected[i];
        }

        return Math.Sqrt(error / size);
    }

    private static (T[] Values, IReadOnlyList<long> Shape) Read<T>(string name, string tensor)
        where T : unmanaged
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Folder(name), "expected.safetensors"));
        SafetensorsEntry entry = file.Entry(tensor);
        return (MemoryMarshal.Cast<byte, T>(file.Bytes(entry, 0, (int)entry.ByteLength)).ToArray(), entry.Shape);
    }
}
