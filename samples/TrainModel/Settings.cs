using System.Globalization;

namespace TrainModel;

/// <summary>Command-line arguments: <c>--output FOLDER [--steps 1500] [--threads 2] [--continue true]</c>.</summary>
internal sealed record Settings
{
    /// <summary>The folder to write.</summary>
    public required string Output { get; init; }

    /// <summary>Number of optimizer steps.</summary>
    public int Steps { get; init; } = 1500;

    /// <summary>True to start from the weights in the folder.</summary>
    public bool Continue { get; init; }

    /// <summary>Threads of the tensor library.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Size of the tokenizer's vocabulary.</summary>
    public int VocabularySize { get; init; } = 768;

    /// <summary>Characters of training text.</summary>
    public int TrainingCharacters { get; init; } = 12_000_000;

    /// <summary>Tokens per window.</summary>
    public int Context { get; init; } = 256;

    /// <summary>Windows per step.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Seed of weights and windows.</summary>
    public int Seed { get; init; }

    /// <summary>Highest learning rate.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Reads the arguments.</summary>
    public static Settings Parse(string[] arguments)
    {
        var values = arguments.Chunk(2)
            .ToDictionary(pair => pair[0], pair => pair.Length == 2 ? pair[1] : throw Usage());
        var defaults = new Settings { Output = values.Remove("--output", out string? output) ? output : throw Usage() };
        Settings settings = defaults with
        {
            Steps = values.Remove("--steps", out string? steps)
                ? int.Parse(steps, CultureInfo.InvariantCulture)
                : defaults.Steps,
            Continue = values.Remove("--continue", out string? resume) && bool.Parse(resume),
            Threads = values.Remove("--threads", out string? threads)
                ? int.Parse(threads, CultureInfo.InvariantCulture)
                : defaults.Threads,
        };
        return values.Count == 0 ? settings : throw Usage();
    }

    private static ArgumentException Usage() =>
        new("Usage: TrainModel --output FOLDER [--steps 1500] [--threads 2] [--continue true]");
}
