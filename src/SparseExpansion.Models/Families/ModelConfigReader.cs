using SparseExpansion.Execution;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>
/// Reads config.json: finds the model type, hands over to its family and holds the result against its keys.
/// </summary>
internal static class ModelConfigReader
{
    /// <summary>Reads the configuration of a checkpoint folder.</summary>
    public static ModelConfig Load(string folder)
    {
        string path = Path.Combine(folder, CheckpointFiles.Config);
        if (!Path.Exists(path))
        {
            throw new CheckpointException($"{path}: is missing; expected a checkpoint folder in Hugging Face layout.");
        }

        var config = new ConfigObject(JsonFile.ReadObject(path), path);
        string type = config.OptionalString("model_type") ?? throw config.Error("model_type", "is missing");
        ModelFamily family = ModelFamilies.Find(type) ?? throw config.Error(
            "model_type", $"is '{type}', which is not supported; supported are {string.Join(", ", ModelFamilies.Types)}");
        ModelConfig result = ReadCommon(config, family.Read(config));
        config.RequireAllUsed(KnownKeys.With(family.Keys));
        result = WithGenerationIds(result, folder);
        try
        {
            result.Validate();
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new CheckpointException($"{path}: {PlainMessage.Clause(error)}", error);
        }

        return result;
    }

    private static ModelConfig ReadCommon(ConfigObject config, ModelConfig result) => result with
    {
        InitializerRange = config.OptionalNumber("initializer_range") ?? 0.02,
        BosId = config.OptionalInt("bos_token_id", least: 0),
        EosIds = config.Ids("eos_token_id"),
        DType = Spellings.Agree(
            config, [("dtype", ReadType(config, "dtype")), ("torch_dtype", ReadType(config, "torch_dtype"))]),
    };

    private static ElementType? ReadType(ConfigObject config, string key) => config.OptionalString(key) switch
    {
        null => null,
        "float32" => ElementType.Float32,
        "float16" => ElementType.Float16,
        "bfloat16" => ElementType.BFloat16,
        string other => throw config.Error(key, $"is '{other}'; supported are float32, float16 and bfloat16"),
    };

    /// <summary>Instruction-tuned checkpoints name further end ids in generation_config.json only.</summary>
    private static ModelConfig WithGenerationIds(ModelConfig config, string folder)
    {
        string path = Path.Combine(folder, CheckpointFiles.GenerationConfig);
        if (!File.Exists(path))
        {
            return config;
        }

        var generation = new ConfigObject(JsonFile.ReadObject(path), path);
        return config with
        {
            BosId = config.BosId ?? generation.OptionalInt("bos_token_id", least: 0),
            EosIds = [.. config.EosIds.Union(generation.Ids("eos_token_id"))],
        };
    }
}
