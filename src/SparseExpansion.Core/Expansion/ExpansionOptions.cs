namespace SparseExpansion.Expansion;

/// <summary>How an expansion runs, apart from router and pruner.</summary>
public sealed record ExpansionOptions
{
    /// <summary>Seed of all randomness. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>What later layers of a block see while it is expanded. Default <see cref="BlockInputs.Dense"/>, as in the paper; with error compensation always <see cref="BlockInputs.Expanded"/>.</summary>
    public BlockInputs WithinBlock { get; init; } = BlockInputs.Dense;

    /// <summary>
    /// Stores the experts of a finished block packed, where that is possible (float32 or bfloat16 on the CPU). Default true; set it
    /// to false to train the experts (their zeros are not kept by themselves), or call <see cref="Layers.SparseMixtureLayer.Unpack"/> later.
    /// </summary>
    public bool Pack { get; init; } = true;

    /// <summary>Tokens that lie on the device at a time while routers and statistics are computed. Default 16,384.</summary>
    public int ChunkTokens { get; init; } = 16_384;

    /// <summary>What becomes of experts that have seen few tokens. Default: as in the paper, nothing.</summary>
    public ExpertStatisticsOptions ExpertStatistics { get; init; } = new();

    /// <summary>Memory that the expansion keeps to; null (default): what it takes. See <see cref="ExpansionBuilder{TModel}.PlanMemory"/>.</summary>
    public MemoryBudget? Memory { get; init; }

    /// <summary>Clock of the times in the report.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ChunkTokens, 1, nameof(ChunkTokens));
        ArgumentNullException.ThrowIfNull(TimeProvider, nameof(TimeProvider));
        ArgumentNullException.ThrowIfNull(ExpertStatistics, nameof(ExpertStatistics));
        ExpertStatistics.Validate();
        Memory?.Validate();
        if (!Enum.IsDefined(WithinBlock))
        {
            throw new ArgumentOutOfRangeException(nameof(WithinBlock), WithinBlock, "Unknown value.");
        }
    }
}
