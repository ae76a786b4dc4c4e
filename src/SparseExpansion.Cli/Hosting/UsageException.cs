namespace SparseExpansion.Cli;

/// <summary>The user's values do not go together, or name something that is not there. The message names the option.</summary>
internal sealed class UsageException(string message) : Exception(message);
