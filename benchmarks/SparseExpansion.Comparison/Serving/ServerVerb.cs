namespace SparseExpansion.Comparison.Serving;

/// <summary>Requests to a server of models.</summary>
internal enum ServerVerb
{
    /// <summary>Tokens per second, one at a time.</summary>
    Decode,

    /// <summary>Tokens per second, all at once.</summary>
    Prefill,

    /// <summary>Bytes of memory that the process keeps.</summary>
    Memory,

    /// <summary>A line about the library.</summary>
    Info,

    /// <summary>Nothing more.</summary>
    Quit,
}
