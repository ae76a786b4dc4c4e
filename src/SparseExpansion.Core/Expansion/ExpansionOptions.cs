using SparseExpansion.Expansion.Memory;

namespace SparseExpansion.Expansion;

/// <summary>Seed, memory and chunks of an expansion: all that is neither router nor pruner.</summary>
public sealed record ExpansionOptions
{
    /// <summary>Seed of all randomness. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Inputs of later layers of a block while it is expanded. Default <see cref="BlockInputs.Dense"/>, as in the
    /// paper; where experts make up for errors of the layers before them always <see cref="BlockInputs.Expanded"/>.
    /// </summary>
    public BlockInputs WithinBlock { get; init; } = BlockInputs.Dense;

    /// <summary>
    /// Stores the experts of a finished block packed, where that is possible (float32 or bfloat16 on the CPU). Default
    /// true; set it to false to train the experts (their zeros are not kept by themselves), or call
    /// <see cref="Layers.SparseMixtureLayer.Unpack"/> later.
    /// </summary>
    public bool Pack { get; init; } = true;

    /// <summary>
    /// Tokens that lie on the device at a time while routers and statistics are computed. Default 16,384.
    /// </summary>
    public int ChunkTokens { get; init; } = 16_384;

    /// <summary>
    /// Memory that the expansion keeps to; null (default): what it takes. See
    /// <see cref="ExpansionBuilder{TModel}.PlanMemory"/>.
    /// </summary>
    public MemoryBudget? Memory { get; init; }

    /// <summary>Clock of the times in the report.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ChunkTokens, 1, nameof(ChunkTokens));
        ArgumentNullException.ThrowIfNull(TimeProvider, nameof(TimeProvider));
        Memory?.Validate();
        if (!Enum.IsDefined(WithinBlock))
        {
            throw new ArgumentOutOfRangeException(nameof(WithinBlock), WithinBlock, "Unknown value.");
        }
    }
}
