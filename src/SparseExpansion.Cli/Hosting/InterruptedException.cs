namespace SparseExpansion.Cli;

/// <summary>The user has stopped the work, and there is more to say about it than that.</summary>
internal sealed class InterruptedException(string message, OperationCanceledException inner) : OperationCanceledException(message, inner, inner.CancellationToken);
