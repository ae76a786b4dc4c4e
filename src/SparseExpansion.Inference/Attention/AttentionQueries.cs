namespace SparseExpansion.Inference.Attention;

/// <summary>Queries of consecutive tokens of one sequence in one layer, whose keys and values are stored already.</summary>
internal unsafe struct AttentionQueries
{
    /// <summary>[count, heads · features], rotated where the model rotates.</summary>
    public float* Queries;

    /// <summary>Numbers from one token to the next.</summary>
    public nint QueryStride;

    /// <summary>[count, heads · features]: receives the results; may be the queries themselves.</summary>
    public float* Output;

    /// <summary>Numbers from one token's results to the next one's.</summary>
    public nint OutputStride;

    /// <summary>Position of the first token.</summary>
    public int Position;

    /// <summary>Number of tokens.</summary>
    public int Count;

    /// <summary>Query heads, a multiple of the key and value heads.</summary>
    public int Heads;

    /// <summary>Factor of the scores; 1 / sqrt(features) in most models.</summary>
    public float Scale;

    /// <summary>Scores s become c · tanh(s / c); null: they stay.</summary>
    public float? SoftCap;
}
