namespace SparseExpansion.Comparison.Serving;

/// <summary>What a server of models can be asked for.</summary>
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
