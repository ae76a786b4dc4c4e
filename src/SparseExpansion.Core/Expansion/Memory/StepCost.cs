using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.Expansion.Memory;

/// <summary>Memory and operations that a step takes beyond those of an expansion without it.</summary>
internal sealed record StepCost
{
    /// <summary>Nothing.</summary>
    public static StepCost None { get; } = new();

    /// <summary>True if the inputs of the dense model are captured besides those of the expanded one.</summary>
    public bool CapturesDense { get; init; }

    /// <summary>True if activations of the dense model travel from block to block.</summary>
    public bool PropagatesDense { get; init; }

    /// <summary>True if experts are pruned one by one.</summary>
    public bool PrunesOneByOne { get; init; }

    /// <summary>Copies of a chunk of tokens while statistics are gathered.</summary>
    public int ChunkCopies { get; init; }

    /// <summary>Copies of the captured tokens, where these are smaller than a chunk.</summary>
    public int CaptureCopies { get; init; }

    /// <summary>Bytes while experts are pruned, by rows, in_features and number of experts at a time.</summary>
    public Func<long, long, int, long> PruningBytes { get; init; } = static (_, _, _) => 0;

    /// <summary>Floating-point operations of the linears that share a width.</summary>
    public Func<IGrouping<long, ModuleSlot>, double> PruningOperations { get; init; } = static _ => 0;

    /// <summary>Number of times that all experts are pruned to try something out.</summary>
    public int Trials { get; init; }

    /// <summary>Bytes of a trial, by in_features, without statistics and pruning.</summary>
    public Func<long, long> TrialBytes { get; init; } = static _ => 0;

    /// <summary>Floating-point operations of all trials, without pruning.</summary>
    public double TrialOperations { get; init; }

    /// <summary>Work on expanded blocks; null: none.</summary>
    public BlockCost? Block { get; init; }
}
