using SparseExpansion.Testing;

namespace SparseExpansion.Transformers;

/// <summary>The small language model of the samples, with tokenizer and texts.</summary>
internal static class SampleFolder
{
    public static string Path { get; } = System.IO.Path.Combine(Repository.Root, "samples", "QuickStart", "model");

    /// <summary>The beginning of the calibration text.</summary>
    public static string Text { get; } = File.ReadAllText(System.IO.Path.Combine(Path, "calibration.txt"))[..12_000];
}
