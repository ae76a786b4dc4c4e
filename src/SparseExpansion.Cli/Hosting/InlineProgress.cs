namespace SparseExpansion.Cli;

/// <summary>Hands reports on at once, on the thread that makes them; <see cref="Progress{T}"/> would post them elsewhere.</summary>
internal sealed class InlineProgress<T>(Action<T> handler) : IProgress<T>
{
    public void Report(T value) => handler(value);
}
