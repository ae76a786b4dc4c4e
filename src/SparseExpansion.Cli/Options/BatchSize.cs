namespace SparseExpansion.Cli;

/// <summary>How many windows go through a model at a time.</summary>
internal static class BatchSize
{
    private const int Tokens = 4096;

    /// <summary>Windows of the given length; at least one.</summary>
    public static int For(int context) => Math.Max(1, Tokens / context);
}
