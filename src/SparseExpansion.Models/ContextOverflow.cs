namespace SparseExpansion.Models;

/// <summary>Treatment of prompt and new text that are longer than the model's context.</summary>
public enum ContextOverflow
{
    /// <summary>A request that could reach the end of the context is refused before the model runs.</summary>
    Error,

    /// <summary>
    /// Whenever the context is full the oldest tokens are dropped, so that half of it is left, and the model reads what
    /// is left again; a start token stays at the beginning. A prompt that is too long loses its beginning so.
    /// </summary>
    Slide,
}
