using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Inference.Attention;

/// <summary>Sizes and options of an attention to test.</summary>
public sealed record AttentionCase(
    int KeyValueHeads, int Group, int Features, int Past, int Count, int? Window, float? SoftCap, CacheFormat Format,
    int PageTokens, int InstructionNumber)
{
    internal AttentionCase(
        int keyValueHeads, int group, int features, int past, int count, int? window, float? softCap,
        CacheFormat format, int pageTokens, InstructionSet instructions)
        : this(keyValueHeads, group, features, past, count, window, softCap, format, pageTokens, (int)instructions)
    {
    }

    /// <summary>The largest query.</summary>
    public float Magnitude { get; init; } = 1;

    public int Heads => KeyValueHeads * Group;

    internal InstructionSet Instructions => (InstructionSet)InstructionNumber;
}
