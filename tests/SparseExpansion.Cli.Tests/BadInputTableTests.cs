using System.Globalization;
using SparseExpansion.Serialization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary>The tool's messages, word for word, about wrong command lines, files and folders: <c>bad-inputs.txt</c>.</summary>
public sealed class BadInputTableTests
{
    private const string Expand = "expand --model {model} --output {output} --tokens {tokens}:windows --sparsity 0.5 --experts 3 --pca-reduction 4";
    private const string Evaluate = "evaluate --model {model} --tokens {tokens}:windows";
    private const string Generate = "generate --model {model} --prompt line";

    /// <summary>Damage to the files before the command runs.</summary>
    private static readonly Dictionary<string, Action<TinyModel>> s_given = new()
    {
        ["the weights are cut off"] = tiny => File.WriteAllBytes(tiny.Weights, File.ReadAllBytes(tiny.Weights)[..^5]),
        ["the weights are empty"] = tiny => File.WriteAllBytes(tiny.Weights, []),
        ["the weights are text"] = tiny => File.WriteAllText(tiny.Weights, "version https://git-lfs.github.com/spec/v1"),
        ["the weights are a folder"] = tiny =>
        {
            File.Delete(tiny.Weights);
            Directory.CreateDirectory(tiny.Weights);
        },
        ["the weights are missing"] = tiny => File.Delete(tiny.Weights),
        ["the weights are a link to nothing"] = tiny =>
        {
            File.Delete(tiny.Weights);
            File.CreateSymbolicLink(tiny.Weights, "../blobs/0123");
        },
        ["the weights lack a tensor"] = tiny => EditWeights(tiny, tensors => tensors.Remove("lm_head.weight")),
        ["the weights have one tensor too many"] = tiny => EditWeights(tiny, tensors => tensors["extra"] = ones(1)),
        ["a tensor has another shape"] = tiny => EditWeights(tiny, tensors => tensors["lm_head.weight"] = ones(1)),
        ["config.json is missing"] = tiny => File.Delete(tiny.Config),
        ["config.json is no JSON"] = tiny => File.WriteAllText(tiny.Config, "{"),
        ["config.json is a list"] = tiny => File.WriteAllText(tiny.Config, "[]"),
        ["model_type is bert"] = tiny => tiny.EditConfig("model_type", "bert"),
        ["config.json has an unknown key"] = tiny => tiny.EditConfig("clip_qkv", 8),
        ["config.json turns a feature on"] = tiny => tiny.EditConfig("use_mrope", true),
        ["config.json spells a setting twice"] = tiny =>
        {
            tiny.EditConfig("rope_theta", 10000);
            tiny.EditConfig("rope_parameters", new System.Text.Json.Nodes.JsonObject { ["rope_theta"] = 500000 });
        },
        ["config.json asks for a window"] = tiny => tiny.EditConfig("sliding_window", 32),
        ["added_tokens.json belongs to another tokenizer"] = tiny => File.WriteAllText(Path.Combine(tiny.Model, "added_tokens.json"), """{"<|im_end|>": 2}"""),
        ["tokenizer_config.json adds a start token that is not named"] = tiny =>
            File.WriteAllText(Path.Combine(tiny.Model, "tokenizer_config.json"), """{"add_bos_token": true}"""),
        ["config.json is quantized"] = tiny => tiny.EditConfig("quantization_config", new System.Text.Json.Nodes.JsonObject()),
        ["hidden_size is text"] = tiny => tiny.EditConfig("hidden_size", "32"),
        ["hidden_size is enormous"] = tiny => tiny.EditConfig("hidden_size", 1 << 30),
        ["num_attention_heads does not divide"] = tiny => tiny.EditConfig("num_attention_heads", 5),
        ["there is no tokenizer"] = tiny => File.Delete(Path.Combine(tiny.Model, "tokenizer.json")),
        ["the tokenizer is Unigram"] = tiny => File.WriteAllText(Path.Combine(tiny.Model, "tokenizer.json"), """{"model":{"type":"Unigram","vocab":{}}}"""),
        ["the text is empty"] = tiny => File.WriteAllText(tiny.Text, ""),
        ["the text is short"] = tiny => File.WriteAllText(tiny.Text, "short"),
        ["the text is not UTF-8"] = tiny => File.WriteAllBytes(tiny.Text, [0x41, 0xFF]),
        ["the model is expanded"] = tiny => Save(tiny, tiny.Model),
        ["the output holds something"] = tiny => File.WriteAllText(Path.Combine(Directory.CreateDirectory(tiny.Output).FullName, "notes"), ""),
        ["the output is complete"] = tiny => Save(tiny, tiny.Output),
        ["the output is a file"] = tiny => File.WriteAllText(tiny.Output, ""),
        ["the output is a link to nothing"] = tiny => File.CreateSymbolicLink(tiny.Output, tiny.Path("gone")),
        ["expansion.json is of a later version"] = tiny =>
        {
            Save(tiny, tiny.Model);
            EditIndex(tiny, "\"version\": 1", "\"version\": 2");
        },
        ["expansion.json is no JSON"] = tiny => File.WriteAllText(Path.Combine(tiny.Model, "expansion.json"), "{"),
        ["a layer of expansion.json is unknown"] = tiny =>
        {
            Save(tiny, tiny.Model);
            EditIndex(tiny, "model.layers.0.mlp.down_proj\"", "model.layers.9.mlp.down_proj\"");
        },
        ["the experts are missing"] = tiny =>
        {
            Save(tiny, tiny.Model);
            File.Delete(Path.Combine(tiny.Model, "experts.safetensors"));
        },
        ["a mask is damaged"] = tiny =>
        {
            Save(tiny, tiny.Model);
            EditTensors(Path.Combine(tiny.Model, "experts.safetensors"), tensors => tensors["model.layers.0.mlp.up_proj.experts.1.masks"].fill_(Scalars.Of(255)));
        },
    };

    private static readonly (string Given, string Command)[] s_cases =
    [
        ("", "exapnd"),
        ("", "foo --model x"),
        ("", "expand --hlep"),
        ("", "inspect --model x -z"),
        ("", "evaluate --modell x"),
        ("", "expand --model m --output o --sparsty=0.5"),
        ("", "evaluate --model m --nothing-like-it"),
        ("", "inspect --model a b"),
        ("", "inspect folder"),
        ("", "expand --model m --output o --sparsity 0.5 --targets *.up_proj *.down_proj"),
        ("", "evaluate"),
        ("", "expand --model m --output o --sparsity 2 --experts 0"),
        ("", "evaluate --model a --model b"),
        .. Values(Expand, "--sparsity 1", "--sparsity half", "--sparsity 4:2", "--sparsity 3:5", "--experts 0", "--experts many", "--experts 193", "--pca-reduction 0", "--seed -1",
            "--context 1", "--context 17", "--context 65", "--max-windows 0", "--pruner obd", "--router hash", "--router random", "--device tpu", "--dtype float8", "--shrink much",
            "--min-tokens -1", "--refine-router two", "--allocation greedy", "--targets *.nothing.*", "--targets mlp", "--memory-budget 10MiB", "--format zip"),
        ("", Expand.Replace("0.5", "2:4", StringComparison.Ordinal) + " --allocation owl"),
        ("", Expand + " --allocation experts --memory-budget 8GiB --dry-run"),
        ("", Expand + " --fine-tune 10 --memory-budget 8GiB --dry-run"),
        ("", Expand + " --fine-tune 10 --bits 4"),
        ("", Expand + " --dense-bits 5"),
        ("", Expand + " --dense-bits 4 --dense-quant-group 32"),
        ("", Expand + " --dense-quant-group 64"),
        ("", Expand + " --fine-tune 10 --targets *"),
        ("", "evaluate --model {model}"),
        ("", Evaluate + " --text {text}"),
        ("", "evaluate --model nowhere --tokens {tokens}:windows"),
        ("", "evaluate --model {text} --tokens {tokens}:windows"),
        ("", "evaluate --model {model} --text nowhere.txt"),
        .. Values("evaluate --model {model}", "--tokens {tokens}", "--tokens {tokens}:absent", "--tokens nowhere:x", "--tokens {tokens}:floats", "--tokens {tokens}:flat", "--tokens {tokens}:foreign", "--tokens {tokens}:long", "--tokens {model}/config.json:x"),
        ("the text is empty", "evaluate --model {model} --text {text}"),
        ("the text is short", "evaluate --model {model} --text {text}"),
        ("the text is not UTF-8", "evaluate --model {model} --text {text}"),
        ("there is no tokenizer", Generate),
        ("the tokenizer is Unigram", Generate),
        ("added_tokens.json belongs to another tokenizer", Generate),
        ("tokenizer_config.json adds a start token that is not named", Generate),
        ("", Generate + " --max-tokens 61"),
        ("", Generate + " --max-new-tokens 61"),
        ("", Generate + " --temperature hot"),
        ("", Generate + " --temperature 1 --top-k -1"),
        ("", Generate + " --temperature 1 --top-p 0"),
        ("", Generate + " --temperature 1 --min-p 2"),
        ("", Generate + " --repetition-penalty 0"),
        ("", Generate + " --top-k 40"),
        ("", Generate.Replace("line", new string('a', 70), StringComparison.Ordinal)),
        .. new[]
        {
            "the weights are cut off", "the weights are empty", "the weights are text", "the weights are a folder", "the weights are missing", "the weights are a link to nothing",
            "the weights lack a tensor", "the weights have one tensor too many", "a tensor has another shape", "config.json is missing", "config.json is no JSON",
            "config.json is a list", "model_type is bert", "config.json has an unknown key", "config.json turns a feature on",
            "config.json spells a setting twice", "config.json asks for a window", "config.json is quantized", "hidden_size is text", "hidden_size is enormous",
            "num_attention_heads does not divide", "expansion.json is of a later version", "expansion.json is no JSON", "a layer of expansion.json is unknown",
            "the experts are missing", "a mask is damaged",
        }.Select(given => (given, "inspect --model {model}")),
        ("the model is expanded", Expand),
        ("the output holds something", Expand),
        ("the output holds something", Expand + " --overwrite"),
        ("the output is complete", Expand + " --resume"),
        ("the output is a file", Expand),
        ("the output is a link to nothing", Expand),
        ("", Expand.Replace("{output}", "{model}", StringComparison.Ordinal)),
        ("", "export --model {model} --output {output} --format dense"),
        ("", "analyze --model {model} --output {output} --tokens {tokens}:windows --targets mlp"),
        ("the model is expanded", "analyze --model {model} --output {output} --tokens {tokens}:windows"),
        ("the output holds something", "analyze --model {model} --output {output} --tokens {tokens}:windows --overwrite"),
        ("the model is expanded", "export --model {model} --output {text}/below --format dense"),
        ("", Expand + " --targets *.up_proj --targets *.dwon_proj"),
        ("", "export --model nowhere --output {output} --format dense"),
        ("the model is expanded", "export --model {model} --output {model} --format dense"),
    ];

    [Fact]
    public void Tool_BadInput_SaysWhatTheTableSays()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Paths and the system's own messages differ there.");
        Assert.SkipWhen(cuda.is_available(), "Written for the CPU.");
        MessageTable.Check("SparseExpansion.Cli.Tests", [.. s_cases.Select(item => Run(item.Given, item.Command))]);
    }

    private static (string Input, string Message) Run(string given, string command)
    {
        using var tiny = new TinyModel();
        if (given.Length > 0)
        {
            s_given[given](tiny);
        }

        string[] before = tiny.Entries();
        string[] arguments = [.. command.Split(' ').Select(word => word
            .Replace("{model}", tiny.Model, StringComparison.Ordinal).Replace("{output}", tiny.Output, StringComparison.Ordinal)
            .Replace("{tokens}", tiny.TokenFile, StringComparison.Ordinal).Replace("{text}", tiny.Text, StringComparison.Ordinal))];
        ToolRun run = ToolRun.Of(arguments);
        run.AssertRefused();
        Assert.Equal(before, tiny.Entries());
        string message = run.Error.Trim()
            .Replace(tiny.Model, "{model}", StringComparison.Ordinal).Replace(tiny.Output, "{output}", StringComparison.Ordinal)
            .Replace(tiny.TokenFile, "{tokens}", StringComparison.Ordinal).Replace(tiny.Text, "{text}", StringComparison.Ordinal)
            .Replace(tiny.Path(""), "{folder}/", StringComparison.Ordinal);
        return (string.Create(CultureInfo.InvariantCulture, $"{command}{(given.Length > 0 ? $"   # {given}" : "")}"), message);
    }

    /// <summary>A command with one option set anew, or added.</summary>
    private static IEnumerable<(string Given, string Command)> Values(string command, params string[] options) => options.Select(option =>
    {
        string[] words = command.Split(' ');
        string[] set = option.Split(' ');
        int at = Array.IndexOf(words, set[0]);
        return ("", at < 0 ? $"{command} {option}" : string.Join(' ', [.. words[..(at + 1)], set[1], .. words[(at + 2)..]]));
    });

    private static void Save(TinyModel tiny, string model)
    {
        ToolRun run = tiny.Command("expand").With("--output", tiny.Path("made")).Run();
        Assert.Equal(0, run.ExitCode);
        if (Directory.Exists(model))
        {
            Directory.Delete(model, recursive: true);
        }

        Directory.Move(tiny.Path("made"), model);
    }

    private static void EditIndex(TinyModel tiny, string old, string replacement)
    {
        string path = Path.Combine(tiny.Model, "expansion.json");
        string text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
    }

    private static void EditWeights(TinyModel tiny, Action<Dictionary<string, Tensor>> change) => EditTensors(tiny.Weights, change);

    private static void EditTensors(string path, Action<Dictionary<string, Tensor>> change)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors;
        using (SafetensorsReader reader = SafetensorsReader.Open(path))
        {
            tensors = reader.Entries.Keys.ToDictionary(name => name, name => reader.Read(name));
        }

        change(tensors);
        SafetensorsWriter.Write(path, tensors);
    }
}
