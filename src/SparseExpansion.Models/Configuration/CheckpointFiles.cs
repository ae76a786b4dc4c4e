namespace SparseExpansion.Models.Configuration;

/// <summary>Names of files in a checkpoint folder in Hugging Face layout.</summary>
internal static class CheckpointFiles
{
    /// <summary>The architecture.</summary>
    public const string Config = "config.json";

    /// <summary>Defaults for generation.</summary>
    public const string GenerationConfig = "generation_config.json";
}
