using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace QuickStart;

/// <summary>A folder with a model, its tokenizer and texts.</summary>
internal sealed class SampleModel : IDisposable
{
    private const int Context = 256;
    private const int CalibrationWindows = 64;
    private const int EvaluationWindows = 48;

    private readonly string _folder;

    private SampleModel(string folder)
    {
        _folder = folder;
        Model = PretrainedModel.Load(folder);
        Tokenizer = TextTokenizer.Load(folder);
        Calibration = ReadWindows("calibration.txt").Take(CalibrationWindows);
        Evaluation = ReadWindows("evaluation.txt").Take(EvaluationWindows);
    }

    /// <summary>The language model.</summary>
    public CausalLanguageModel Model { get; }

    /// <summary>Its tokenizer.</summary>
    public TextTokenizer Tokenizer { get; }

    /// <summary>Calibration text.</summary>
    public TokenWindows Calibration { get; }

    /// <summary>Held-out text of all domains.</summary>
    public TokenWindows Evaluation { get; }

    /// <summary>Names of the domains.</summary>
    public IReadOnlyList<string> Domains => [.. Directory.GetFiles(Path.Combine(_folder, "domains"), "*.txt")
        .Select(Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal)];

    /// <summary>Loads the model that is copied to the output folder.</summary>
    public static SampleModel LoadEmbedded() => new(Path.Combine(AppContext.BaseDirectory, "model"));

    /// <summary>Held-out text of one domain.</summary>
    public TokenWindows ReadDomain(string domain) => ReadWindows(Path.Combine("domains", domain + ".txt"));

    public void Dispose() => Model.Dispose();

    private TokenWindows ReadWindows(string file) =>
        TokenWindows.FromText(File.ReadAllText(Path.Combine(_folder, file)), Tokenizer, Context);
}
