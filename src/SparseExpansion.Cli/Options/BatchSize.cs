namespace SparseExpansion.Cli.Options;

/// <summary>Number of windows that go through a model at once.</summary>
internal static class BatchSize
{
    private const int Tokens = 4096;

    /// <summary>Number of windows of the given length, at least one.</summary>
    public static int For(int context) => Math.Max(1, Tokens / context);
}
