namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Options of the fit of an expanded block to the dense one.</summary>
/// <remarks>
/// Masks and routers stay; Adam (Kingma &amp; Ba 2015) moves the kept weights so that the block, which gets what the
/// expanded blocks before it produce, comes closer to the dense one. A window is one row of dimension 0 of what enters
/// the block, one sequence for [batch, sequence] token ids; where that is a matrix of floats, [tokens, features], up to
/// 256 consecutive rows (give long rows that are sequences a third dimension); a vector is one window. Windows that are
/// all padding are left out. Padding masks must begin with the rows of their inputs, or be flat.
/// </remarks>
public sealed record FineTuningOptions
{
    /// <summary>Largest number of steps for each block. Default 800.</summary>
    public int Steps { get; init; } = 800;

    /// <summary>Learning rate of the first step; it falls to 0 along a half cosine. Default 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Calibration windows of a step. Default 8.</summary>
    public int BatchWindows { get; init; } = 8;

    /// <summary>
    /// Share of the calibration windows, the last ones, that the block does not learn from and that decide which state
    /// is kept: the best that was seen, the unchanged block included. Routers and experts are made without them, too.
    /// In (0, 0.5]; at least one window. Default 0.05.
    /// </summary>
    public double HoldOut { get; init; } = 0.05;

    /// <summary>Steps between two looks at the held-out windows. Default 25.</summary>
    public int CheckInterval { get; init; } = 25;

    /// <summary>
    /// Looks without a better state after which a block is done. Default 24: the large steps of the first half may lose
    /// before the small ones win.
    /// </summary>
    public int Patience { get; init; } = 24;

    /// <summary>
    /// Trains the block's norms as well: all one-dimensional parameters outside its linear layers. Attention and what
    /// else was not expanded stays as it is, and so do norms that several blocks share. Without
    /// <see cref="ExpansionBuilder{TModel}.Blocks"/> it is the norms of the whole model. Default true.
    /// </summary>
    public bool TrainNorms { get; init; } = true;

    /// <summary>Outputs that count as right. Default <see cref="FineTuningTarget.DenseModel"/>.</summary>
    public FineTuningTarget Target { get; init; } = FineTuningTarget.DenseModel;

    /// <summary>Loss that is minimized. Default <see cref="FineTuningLoss.RelativeSquaredError"/>.</summary>
    public IFineTuningLoss Loss { get; init; } = FineTuningLoss.RelativeSquaredError;

    /// <summary>
    /// Loss that is minimized in place of <see cref="Loss"/> for the last block that has targets, a loss of the outputs
    /// of the whole model: <see cref="FineTuningLoss.KullbackLeibler"/> for logits. Null (default): the last block is
    /// like the others. Each of its steps runs what comes after the block twice and keeps the outputs of
    /// <see cref="BatchWindows"/> windows with their gradients, several times windows · positions · outputs floats:
    /// take fewer windows where a vocabulary is large. All of the model is run where it looks at its input again after
    /// the block, or cannot run a single position; one pass over all windows finds out. What counts as right is the
    /// rest of the model behind what <see cref="Target"/> says of the block; with
    /// <see cref="FineTuningTarget.DenseBlock"/> that is the dense block after expanded ones.
    /// </summary>
    public IFineTuningLoss? OutputLoss { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchWindows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckInterval, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Patience, 1);
        ArgumentNullException.ThrowIfNull(Loss);
        if (!(double.IsFinite(LearningRate) && LearningRate > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(LearningRate), LearningRate, "Must be a number above 0.");
        }

        if (!Enum.IsDefined(Target))
        {
            throw new ArgumentOutOfRangeException(nameof(Target), Target, "Unknown value.");
        }

        if (HoldOut is not (> 0 and <= 0.5))
        {
            throw new ArgumentOutOfRangeException(nameof(HoldOut), HoldOut, "Must be above 0 and at most 0.5.");
        }
    }
}
