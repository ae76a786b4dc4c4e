using SparseExpansion.Routing;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>A router, and where it sends some tokens.</summary>
internal sealed record RoutedTokens(IRouter Router, RouterAssignment Assignment);
