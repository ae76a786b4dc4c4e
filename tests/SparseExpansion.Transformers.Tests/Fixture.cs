using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>The fixture folders.</summary>
internal static class Fixture
{
    public const string Llama = "llama3_scaled_rope";
    public const string Qwen2 = "qwen2_bias_tied";
    public const string NeoXParallel = "gpt_neox_parallel";
    public const string NeoXSequential = "gpt_neox_sequential";

    /// <summary>The models of the newer families: bfloat16, with the greedy continuation of a prompt.</summary>
    public static TheoryData<string> Families =>
    [
        "gemma2", "gemma3_text", "gpt2", "granite", "mixtral", "olmo2", "opt", "phi", "phi3", "qwen3", "qwen3_moe",
        "smollm3", "stablelm",
    ];

    public static string Model(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", name);

    /// <summary>Copies a model's folder to where a test may damage it.</summary>
    public static void CopyModel(string name, string destination)
    {
        foreach (string file in Directory.GetFiles(Model(name)))
        {
            File.Copy(file, Path.Combine(destination, Path.GetFileName(file)));
        }
    }

    /// <summary>Writes the weights of a copied model anew, after a change.</summary>
    public static void Rewrite(string folder, Action<Dictionary<string, Tensor>> change)
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(folder, "model.safetensors");
        Dictionary<string, Tensor> tensors;
        using (SafetensorsReader reader = SafetensorsReader.Open(path))
        {
            tensors = reader.Entries.Keys.ToDictionary(name => name, name => reader.Read(name));
        }

        change(tensors);
        SafetensorsWriter.Write(path, tensors);
    }

    /// <summary>Replaces text in a file of a copied model; the text must be there.</summary>
    public static void Edit(string folder, string file, string oldText, string newText)
    {
        string path = Path.Combine(folder, file);
        string text = File.ReadAllText(path);
        Assert.Contains(oldText, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(oldText, newText, StringComparison.Ordinal));
    }
}
