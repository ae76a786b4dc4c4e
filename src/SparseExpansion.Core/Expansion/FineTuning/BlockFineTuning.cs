using SparseExpansion.Expansion.Blocks;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Result of fine-tuning for one block.</summary>
/// <param name="Block">Index of the block, from 0.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="KeptStep">
/// The step whose state was kept; 0: the block stayed as it was pruned, because nothing was better.
/// </param>
/// <param name="LossBefore">
/// <see cref="Loss"/> on the held-out windows, which took no part in pruning, before the first step; in nats where it
/// is <see cref="FineTuningLoss.KullbackLeibler"/>.
/// </param>
/// <param name="LossAfter">The same of the state that was kept; never above <paramref name="LossBefore"/>.</param>
public sealed record BlockFineTuning(int Block, int Steps, int KeptStep, double LossBefore, double LossAfter)
{
    /// <summary>
    /// Loss that was minimized, as <see cref="FineTuningOptions.Loss"/> calls itself, or for the last block
    /// <see cref="FineTuningOptions.OutputLoss"/>: "relative squared error" by default.
    /// </summary>
    public string Loss { get; init; } = "loss";
}
