namespace SparseExpansion.Transformers;

/// <summary>A step of a perplexity measurement.</summary>
/// <param name="Windows">Windows done.</param>
/// <param name="TotalWindows">Windows in all.</param>
/// <param name="Perplexity">Perplexity of those done.</param>
public sealed record PerplexityProgress(int Windows, int TotalWindows, double Perplexity);
