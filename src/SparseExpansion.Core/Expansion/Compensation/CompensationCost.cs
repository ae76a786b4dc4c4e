using SparseExpansion.Expansion.Memory;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.Expansion.Compensation;

/// <summary>
/// Memory and work that error compensation takes: tokens of two models, and equations for each expert.
/// </summary>
internal static class CompensationCost
{
    /// <summary>Memory and operations.</summary>
    public static StepCost Of(WorkSize size) => new()
    {
        CapturesDense = true,
        PropagatesDense = true,
        PrunesOneByOne = true,
        ChunkCopies = 5,
        CaptureCopies = 2,
        PruningBytes = Bytes,
        PruningOperations = width => Operations(size, width),
    };

    /// <summary>
    /// Sums over the tokens of each expert, the equations of one, and the weight that is made for one.
    /// </summary>
    private static long Bytes(long rows, long features, int experts) =>
        sizeof(float) * ((((2 * experts) + 4) * features * features) + (2 * rows * features));

    private static double Operations(WorkSize size, IGrouping<long, ModuleSlot> width)
    {
        double d = width.Key;
        return (4.0 * size.Tokens * d * d)
            + (size.Experts * ((7.0 / 3 * d * d * d) + width.Sum(slot => 2 * d * d * WorkSize.Shape(slot).Out)));
    }
}
