namespace SparseExpansion.Models.Families;

/// <summary>Names of the modules of a feed-forward network.</summary>
internal sealed record FeedForwardNames
{
    /// <summary>Projection that goes through the non-linearity; null where there is no gate.</summary>
    public string? Gate { get; init; } = "gate_proj";

    /// <summary>Projection to the intermediate width.</summary>
    public string Up { get; init; } = "up_proj";

    /// <summary>One projection of gate and up, in this order; null where there are two.</summary>
    public string? FusedGateUp { get; init; }

    /// <summary>Projection back.</summary>
    public string Down { get; init; } = "down_proj";

    /// <summary>Two projections without a gate.</summary>
    public static FeedForwardNames Plain(string up, string down) => new() { Gate = null, Up = up, Down = down };

    /// <summary>All projections.</summary>
    public IEnumerable<string> Linears => FusedGateUp is not null ? [FusedGateUp, Down]
        : Gate is not null ? [Gate, Up, Down]
        : [Up, Down];
}
