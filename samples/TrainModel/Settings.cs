using System.Globalization;

namespace TrainModel;

/// <summary>What the program is asked to do: <c>--output FOLDER [--minutes 12] [--threads 2]</c>.</summary>
internal sealed record Settings
{
    /// <summary>The folder to write.</summary>
    public required string Output { get; init; }

    /// <summary>Wall-clock time of the training. The learning-rate schedule follows the clock.</summary>
    public double Minutes { get; init; } = 12;

    /// <summary>Threads of the tensor library.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Size of the tokenizer's vocabulary.</summary>
    public int VocabularySize { get; init; } = 768;

    /// <summary>Characters of training text.</summary>
    public int TrainingCharacters { get; init; } = 12_000_000;

    /// <summary>Tokens of a window.</summary>
    public int Context { get; init; } = 256;

    /// <summary>Windows of a step.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Highest learning rate.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Reads the arguments.</summary>
    public static Settings Parse(string[] arguments)
    {
        var values = arguments.Chunk(2).ToDictionary(pair => pair[0], pair => pair.Length == 2 ? pair[1] : throw Usage());
        var defaults = new Settings { Output = values.Remove("--output", out string? output) ? output : throw Usage() };
        Settings settings = defaults with
        {
            Minutes = values.Remove("--minutes", out string? minutes) ? double.Parse(minutes, CultureInfo.InvariantCulture) : defaults.Minutes,
            Threads = values.Remove("--threads", out string? threads) ? int.Parse(threads, CultureInfo.InvariantCulture) : defaults.Threads,
        };
        return values.Count == 0 ? settings : throw Usage();
    }

    private static ArgumentException Usage() => new("Usage: TrainModel --output FOLDER [--minutes 12] [--threads 2]");
}
