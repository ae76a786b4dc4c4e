namespace SparseExpansion.Cli.Hosting;

/// <summary>
/// An error in the user's options: they conflict, or name something that does not exist. The message names the option.
/// </summary>
internal sealed class UsageException(string message) : Exception(message);
