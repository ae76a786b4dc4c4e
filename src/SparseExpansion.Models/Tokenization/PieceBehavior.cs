namespace SparseExpansion.Models.Tokenization;

/// <summary>Treatment of the matches at which a text is cut; the names are those of tokenizer.json.</summary>
internal enum PieceBehavior
{
    /// <summary>They are pieces of their own.</summary>
    Isolated,

    /// <summary>They go away.</summary>
    Removed,

    /// <summary>They end the piece before them.</summary>
    MergedWithPrevious,

    /// <summary>They start the piece after them.</summary>
    MergedWithNext,

    /// <summary>They are pieces of their own, neighbors together.</summary>
    Contiguous,
}
