namespace SparseExpansion.Testing;

/// <summary>Tells at once, on the thread that reports, unlike <see cref="Progress{T}"/>.</summary>
public sealed class ImmediateProgress<T>(Action<T> tell) : IProgress<T>
{
    public void Report(T value) => tell(value);
}
