namespace SparseExpansion.Internal;

/// <summary>
/// Hands reports on at once, on the thread that makes them; <see cref="Progress{T}"/> would post them elsewhere.
/// </summary>
internal sealed class ActionProgress<T>(Action<T> tell) : IProgress<T>
{
    public void Report(T value) => tell(value);
}
