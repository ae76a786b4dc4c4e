using TorchSharp;

namespace SparseExpansion.Cli;

/// <summary>Whatever is wrong, the tool ends with 1 and one line that names the option, file or layer; nothing is written.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TinyModel _tiny = new();
    private readonly string[] _entries;

    public BadInputTests() => _entries = _tiny.Entries();

    public void Dispose()
    {
        Assert.Equal(_entries, _tiny.Entries());
        _tiny.Dispose();
    }

    [Theory]
    [InlineData("--sparsity", "1", "[0, 1)")]
    [InlineData("--sparsity", "1.5", "[0, 1)")]
    [InlineData("--sparsity", "-0.1", "[0, 1)")]
    [InlineData("--sparsity", "NaN", "[0, 1)")]
    [InlineData("--sparsity", "half", "2:4")]
    [InlineData("--sparsity", "2:", "2:4")]
    [InlineData("--sparsity", "1:2:3", "2:4")]
    [InlineData("--sparsity", "4:2", "kept <= group")]
    [InlineData("--sparsity", "0:4", "1 <= kept")]
    [InlineData("--experts", "0", "at least 1")]
    [InlineData("--experts", "many", "integer")]
    [InlineData("--experts", "99999999999", "integer")]
    [InlineData("--pca-reduction", "0", "at least 1")]
    [InlineData("--seed", "-1", "at least 0")]
    [InlineData("--context", "1", "at least 2")]
    [InlineData("--context", "17", "have 16 tokens")]
    [InlineData("--context", "65", "at most 64")]
    [InlineData("--max-windows", "0", "at least 1")]
    [InlineData("--pruner", "obd", "sparsegpt")]
    [InlineData("--router", "hash", "kmeans")]
    [InlineData("--device", "tpu", "cuda")]
    [InlineData("--shrink", "much", "off, auto")]
    [InlineData("--shrink", "-1", "off, auto")]
    [InlineData("--min-tokens", "-1", "at least 0")]
    [InlineData("--refine-router", "two", "integer")]
    [InlineData("--allocation", "greedy", "owl")]
    [InlineData("--targets", "*.nothing.*", "*.nothing.*")]
    public void Expand_BadValue_NamesOptionAndValue(string option, string value, string reason)
    {
        ToolRun run = _tiny.Command("expand").With(option, value).Run();
        run.AssertRefused(value, reason);
        if (option != "--targets")
        {
            run.AssertRefused(option[2..]);
        }
    }

    [Fact]
    public void Expand_AllocationOfStructuredSparsity_IsRefused() =>
        _tiny.Command("expand").With("--sparsity", "2:4").With("--allocation", "owl").Run().AssertRefused("--allocation owl", "2:4");

    [Theory]
    [InlineData("--sparsity", "3:5", "model.layers.0.mlp.gate_proj", "divisible by 5")]
    [InlineData("--experts", "193", "model.layers.0.mlp.gate_proj", "192 calibration tokens")]
    public void Expand_ValueDoesNotFitALayer_NamesTheLayer(string option, string value, string layer, string reason) =>
        _tiny.Command("expand").With(option, value).Run().AssertRefused(layer, reason);

    [Theory]
    [InlineData("floats", "Float32")]
    [InlineData("flat", "[192]")]
    [InlineData("foreign", "from 1 to 128")]
    [InlineData("huge", "vocabulary has 128")]
    [InlineData("negative", "from -1 to")]
    [InlineData("long", "longer than the model's context of 64")]
    [InlineData("absent", "it has flat, floats")]
    public void Tokens_BadTensor_NamesFileAndTensor(string tensor, string reason)
    {
        foreach (string command in new[] { "evaluate", "expand" })
        {
            _tiny.Command(command).With("--tokens", $"{_tiny.TokenFile}:{tensor}").Run().AssertRefused(_tiny.TokenFile, tensor, reason);
        }
    }

    [Fact]
    public void Tokens_NoTensorOrNoFile_SaysHowToWriteIt()
    {
        _tiny.Command("evaluate").With("--tokens", _tiny.TokenFile).Run().AssertRefused("FILE:TENSOR", "windows");
        _tiny.Command("evaluate").With("--tokens", _tiny.TokenFile + ":").Run().AssertRefused("FILE:TENSOR", "windows");
        _tiny.Command("evaluate").With("--tokens", "nowhere.safetensors:x").Run().AssertRefused("--tokens", "no file nowhere.safetensors");
        _tiny.Command("evaluate").With("--tokens", _tiny.Config + ":x").Run().AssertRefused(_tiny.Config);
    }

    [Fact]
    public void Source_BothOrNeither_SaysSo()
    {
        foreach (string command in new[] { "evaluate", "expand" })
        {
            _tiny.Command(command).With("--text", _tiny.Text).Run().AssertRefused("not both");
            _tiny.Command(command).Without("--tokens").Run().AssertRefused("--text FILE or --tokens FILE:TENSOR");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n\n<|endoftext|>\n \t")]
    public void Text_Empty_NamesTheFile(string text)
    {
        File.WriteAllText(_tiny.Text, text);
        EvaluateText().AssertRefused("--text", _tiny.Text, "no document");
    }

    [Fact]
    public void Text_ShortMissingOrNotUtf8_NamesTheFile()
    {
        File.WriteAllText(_tiny.Text, "short");
        EvaluateText().AssertRefused(_tiny.Text, "6 tokens");
        File.WriteAllBytes(_tiny.Text, [0x41, 0xFF, 0xFE, 0x41]);
        EvaluateText().AssertRefused(_tiny.Text, "UTF-8");
        _tiny.Command("evaluate").Without("--tokens").With("--text", "nowhere.txt").Run().AssertRefused("--text nowhere.txt");
    }

    [Fact]
    public void Text_NoTokenizer_NamesTheFolder()
    {
        File.Delete(Path.Combine(_tiny.Model, "tokenizer.json"));
        EvaluateText().AssertRefused(_tiny.Model, "tokenizer.json");
        _tiny.Command("generate").Run().AssertRefused(_tiny.Model, "tokenizer.json");
    }

    [Theory]
    [InlineData("evaluate")]
    [InlineData("expand")]
    [InlineData("generate")]
    [InlineData("inspect")]
    public void Model_MissingOrDamaged_NamesTheFile(string command)
    {
        byte[] weights = File.ReadAllBytes(_tiny.Weights);
        _tiny.Command(command).With("--model", "nowhere").Run().AssertRefused("--model nowhere");
        _tiny.Command(command).Without("--model").Run().AssertRefused("--model");
        File.WriteAllBytes(_tiny.Weights, weights[..^5]);
        _tiny.Command(command).Run().AssertRefused(_tiny.Weights, "truncated");
        File.WriteAllBytes(_tiny.Weights, [.. weights[..8], (byte)'?', .. weights[9..]]);
        _tiny.Command(command).Run().AssertRefused(_tiny.Weights, "header");
        File.Delete(_tiny.Weights);
        _tiny.Command(command).Run().AssertRefused(_tiny.Model, "model.safetensors");
        _tiny.EditConfig("model_type", "bert");
        _tiny.Command(command).Run().AssertRefused(_tiny.Config, "model_type", "bert");
        File.WriteAllText(_tiny.Config, "{");
        _tiny.Command(command).Run().AssertRefused(_tiny.Config);
        File.Delete(_tiny.Config);
        _tiny.Command(command).Run().AssertRefused(_tiny.Config);
    }

    [Fact]
    public void Device_CudaWithoutCuda_SaysHowToGetIt()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "There is a CUDA device.");
        foreach (string command in new[] { "evaluate", "expand", "generate" })
        {
            _tiny.Command(command).With("--device", "cuda").Run().AssertRefused("--device cuda", "TorchBackend");
        }
    }

    [Fact]
    public void Expand_IdlePcaReduction_IsRefused() =>
        _tiny.Command("expand").With("--router", "random").Run().AssertRefused("--pca-reduction", "random");

    [Theory]
    [InlineData("--max-tokens", "0")]
    [InlineData("--max-tokens", "59")]
    [InlineData("--temperature", "-1")]
    [InlineData("--temperature", "hot")]
    [InlineData("--temperature", "Infinity")]
    [InlineData("--seed", "x")]
    public void Generate_BadValue_NamesOptionAndValue(string option, string value) =>
        _tiny.Command("generate").With(option, value).Run().AssertRefused(option, value);

    [Fact]
    public void Generate_PromptFillsTheContext_SaysHowLongItMayBe() =>
        _tiny.Command("generate").With("--prompt", new string('a', 70)).Run().AssertRefused("--prompt", "70", "1 to 63");

    [Theory]
    [InlineData("exapnd", "exapnd")]
    [InlineData("evaluate --modell x", "--modell")]
    [InlineData("evaluate --model", "'--model'")]
    [InlineData("evaluate", "'--model' is required.")]
    [InlineData("expand", "'--output' is required. Option '--sparsity' is required.")]
    [InlineData("expand --model m --output o --sparsity 2 --experts 0", "--experts '0'")]
    [InlineData("evaluate --model a --model b", "--model")]
    [InlineData("inspect --model a b", "'b'")]
    public void CommandLine_Unknown_NamesItAndPointsToHelp(string arguments, string name) =>
        ToolRun.Of(arguments.Split(' ')).AssertRefused(name, "--help");

    private ToolRun EvaluateText() => _tiny.Command("evaluate").Without("--tokens").With("--text", _tiny.Text).Run();
}
