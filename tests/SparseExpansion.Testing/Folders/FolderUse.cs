namespace SparseExpansion.Testing.Folders;

/// <summary>Something in one folder that uses something in another.</summary>
/// <param name="From">The folder of what uses.</param>
/// <param name="To">The folder of what is used.</param>
/// <param name="Example">Both by name, for messages.</param>
public sealed record FolderUse(string From, string To, string Example);
