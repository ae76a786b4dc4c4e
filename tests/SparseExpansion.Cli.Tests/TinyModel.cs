using System.Text.Json.Nodes;
using SparseExpansion.Cli.Options;
using SparseExpansion.Models;
using SparseExpansion.Serialization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary>A checkpoint folder with a random Llama, a tokenizer of single characters, and files of tokens and text.</summary>
internal sealed class TinyModel : IDisposable
{
    public const int Vocabulary = 128;
    public const int Context = 16;
    public const int MaxPositions = 64;
    public const int Windows = 12;
    public const int Targets = 6;

    private const int FirstCharacter = 3;

    private readonly TemporaryFolder _folder = new();

    public TinyModel()
    {
        Directory.CreateDirectory(Model);
        File.WriteAllText(Config, $$"""
            {
              "model_type": "llama", "vocab_size": {{Vocabulary}}, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": {{MaxPositions}}, "rms_norm_eps": 1e-6,
              "bos_token_id": 1, "eos_token_id": 2, "initializer_range": 0.2
            }
            """);
        using (CausalLanguageModel model = CausalLanguageModel.Create(ModelConfig.Load(Model)))
        {
            model.InitializeWeights(1);
            SafetensorsWriter.Write(Weights, model.state_dict());
        }

        WriteTokenizer();
        WriteTokens();
        File.WriteAllText(Text, string.Join('\n', Enumerable.Range(0, 20).Select(line => $"line {line} of the text <|endoftext|>, which is no end\n<|endoftext|>")));
    }

    public string Model => Path("model");

    public string Config => System.IO.Path.Combine(Model, "config.json");

    public string Weights => System.IO.Path.Combine(Model, "model.safetensors");

    public string Text => Path("text.txt");

    public string TokenFile => Path("tokens.safetensors");

    public string Tokens => TokenFile + ":windows";

    public string Output => Path("expanded");

    public string Path(string name) => _folder.File(name);

    /// <summary>Names of all that lies beside the model.</summary>
    public string[] Entries() => [.. Directory.EnumerateFileSystemEntries(_folder.Path).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal)!];

    /// <summary>A command line that works: "evaluate", "expand", "generate" or "inspect".</summary>
    public CommandLine Command(string name)
    {
        CommandLine line = new CommandLine(name).With("--model", Model);
        return name switch
        {
            "evaluate" => line.With("--tokens", Tokens),
            "expand" => line.With("--tokens", Tokens).With("--output", Output).With("--sparsity", "0.5").With("--experts", "3").With("--pca-reduction", "4"),
            "generate" => line.With("--prompt", "line 7").With("--max-tokens", "5"),
            _ => line,
        };
    }

    public void EditConfig(string key, JsonNode value)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Config))!;
        config[key] = value;
        File.WriteAllText(Config, config.ToJsonString());
    }

    public void Dispose() => _folder.Dispose();

    private void WriteTokenizer()
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        string characters = "\n" + string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(code => (char)code));
        for (int i = 0; i < characters.Length; i++)
        {
            vocabulary[characters[i].ToString()] = FirstCharacter + i;
        }

        for (int id = vocabulary.Count; id < Vocabulary; id++)
        {
            vocabulary[$"<{id}>"] = id;
        }

        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["model"] = new JsonObject { ["type"] = "BPE", ["unk_token"] = "<unk>", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
            ["decoder"] = new JsonObject { ["type"] = "Fuse" },
        };
        File.WriteAllText(System.IO.Path.Combine(Model, "tokenizer.json"), tokenizer.ToJsonString());
    }

    private void WriteTokens()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        Tensor windows = randint(0, Vocabulary, [Windows, Context], dtype: int64, generator: generator);
        SafetensorsWriter.Write(TokenFile, new Dictionary<string, Tensor>
        {
            ["windows"] = windows,
            ["narrow"] = windows.to(int32),
            ["floats"] = windows.to(float32),
            ["flat"] = windows.flatten(),
            ["foreign"] = windows.Plus(1),
            ["huge"] = windows.Plus(1L << 40),
            ["negative"] = windows - Scalars.Of(1),
            ["long"] = windows.reshape(2, -1),
        });
    }
}
