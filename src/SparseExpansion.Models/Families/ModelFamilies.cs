using System.Collections.Frozen;

namespace SparseExpansion.Models.Families;

/// <summary>The model types that the library has code for.</summary>
internal static class ModelFamilies
{
    private static readonly FrozenDictionary<string, ModelFamily> s_byType = new[]
    {
        Gemma2.Family, Gemma3.Family, Gpt2.Family, GptNeoX.Family, Granite.Family, Llama.Family, Mistral.Family,
        Mixtral.Family, Olmo2.Family, Opt.Family, Phi.Family, Phi3.Family, Qwen2.Family, Qwen3.Family, Qwen3Moe.Family,
        SmolLM3.Family, StableLM.Family, Starcoder2.Family,
    }.ToFrozenDictionary(family => family.Type, StringComparer.Ordinal);

    /// <summary>Their names, in ordinal order.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. s_byType.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The family of a model type; null if there is none.</summary>
    public static ModelFamily? Find(string type) => s_byType.GetValueOrDefault(type);

    /// <summary>The family of a model type.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public static ModelFamily Of(string type) => Find(type) ?? throw new ArgumentOutOfRangeException(
        nameof(type), type, $"Not a model type that the library knows; it knows {string.Join(", ", Types)}.");
}
