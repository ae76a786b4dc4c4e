namespace SparseExpansion.Models.Families;

/// <summary>Names of the modules of an attention.</summary>
internal sealed record AttentionNames
{
    /// <summary>Projection of the queries.</summary>
    public string Query { get; init; } = "q_proj";

    /// <summary>Projection of the keys.</summary>
    public string Key { get; init; } = "k_proj";

    /// <summary>Projection of the values.</summary>
    public string Value { get; init; } = "v_proj";

    /// <summary>One projection of all three; null where there are three.</summary>
    public string? Fused { get; init; }

    /// <summary>Order of the rows of <see cref="Fused"/>.</summary>
    public FusedLayout FusedLayout { get; init; }

    /// <summary>Projection of the output.</summary>
    public string Output { get; init; } = "o_proj";

    /// <summary>Norm of the queries.</summary>
    public string QueryNorm { get; init; } = "q_norm";

    /// <summary>Norm of the keys.</summary>
    public string KeyNorm { get; init; } = "k_norm";

    /// <summary>All projections.</summary>
    public IEnumerable<string> Linears => Fused is not null ? [Fused, Output] : [Query, Key, Value, Output];
}
