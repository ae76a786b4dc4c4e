using System.Globalization;

namespace SparseExpansion.Expansion.Allocation;

/// <summary>
/// Division of the weights that may stay among the linears. The sum over all linears is that of the uniform target to
/// one weight, so the FLOPs of a token stay the same.
/// </summary>
/// <remarks>
/// Experts of a linear keep equally many, unless they are to differ (<see cref="PerExpert"/>): then what counts is the
/// mean over the calibration tokens. It is never more than what equal experts would keep, and less by no more than one
/// weight of one expert.
/// </remarks>
public sealed record SparsityAllocation
{
    private SparsityAllocation(
        AllocationMethod method, double maxDeviation, double outlierThreshold, bool perExpert = false) =>
        (Method, MaxDeviation, OutlierThreshold, PerExpert) = (method, maxDeviation, outlierThreshold, perExpert);

    /// <summary>The same sparsity everywhere: the published method.</summary>
    public static SparsityAllocation Uniform { get; } = new(AllocationMethod.Uniform, 0, 0);

    /// <summary>Method that divides the weights.</summary>
    public AllocationMethod Method { get; }

    /// <summary>True if the experts of a linear may differ in sparsity.</summary>
    public bool PerExpert { get; }

    /// <summary>True if linears may differ in sparsity.</summary>
    internal bool PerLinear => Method is AllocationMethod.Owl or AllocationMethod.OutputError;

    /// <summary>
    /// Largest distance of a linear's sparsity from the target, and of an expert's from its linear's.
    /// </summary>
    public double MaxDeviation { get; }

    /// <summary>M of <see cref="Owl"/>; 0 for other methods.</summary>
    public double OutlierThreshold { get; }

    /// <summary>
    /// Outlier-weighted layerwise sparsity, Yin et al. 2023 (arXiv 2310.05175): a linear keeps the more, the larger the
    /// share of its weights with |w_ij| ‖X_j‖ above M times their mean. The deviations from the target are proportional
    /// to the shares' distances from their mean, and the largest of them is λ.
    /// </summary>
    /// <param name="threshold">M, above 1. Default 5.</param>
    /// <param name="maxDeviation">λ, in (0, 0.5]. Default 0.08.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static SparsityAllocation Owl(double threshold = 5, double maxDeviation = 0.08) =>
        double.IsFinite(threshold) && threshold > 1
        ? new SparsityAllocation(AllocationMethod.Owl, Check(maxDeviation), threshold)
        : throw new ArgumentOutOfRangeException(
            nameof(threshold), threshold, "The threshold of outliers must be a number above 1.");

    /// <summary>
    /// Minimizes the sum of the linears' relative output errors: each linear of the dense model is pruned as a whole at
    /// five sparsities around the target (at most 256 rows of it), and weights go where the error, interpolated between
    /// them, falls most for one weight.
    /// </summary>
    /// <param name="maxDeviation">
    /// Largest distance of a linear's sparsity from the target, in (0, 0.5]. Default 0.1.
    /// </param>
    /// <param name="perExpert">
    /// True to divide the weights of each linear further among its experts, as by <see cref="Experts"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public static SparsityAllocation OutputError(double maxDeviation = 0.1, bool perExpert = false) =>
        new(AllocationMethod.OutputError, Check(maxDeviation), 0, perExpert);

    /// <summary>
    /// Divides the weights of each linear among its experts: every expert is pruned at five sparsities around the
    /// target (at most 256 rows of it), and weights go where the output error of all tokens falls most for one
    /// multiplication.
    /// </summary>
    /// <param name="maxDeviation">
    /// Largest distance of an expert's sparsity from the target, in (0, 0.5]. Default 0.1.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public static SparsityAllocation Experts(double maxDeviation = 0.1) =>
        new(AllocationMethod.Experts, Check(maxDeviation), 0, perExpert: true);

    /// <summary>Method and parameters, for manifests.</summary>
    public override string ToString() => Method switch
    {
        AllocationMethod.Uniform => "uniform",
        AllocationMethod.Owl => string.Create(CultureInfo.InvariantCulture, $"owl (M {OutlierThreshold}, at most {MaxDeviation} from the target)"),
        AllocationMethod.Experts => string.Create(CultureInfo.InvariantCulture, $"output error of experts (at most {MaxDeviation} from the target)"),
        _ => string.Create(
            CultureInfo.InvariantCulture,
            $"output error{(PerExpert ? " of linears and experts" : "")} (at most {MaxDeviation} from the target)"),
    };

    private static double Check(double maxDeviation) => maxDeviation is > 0 and <= 0.5
        ? maxDeviation
        : throw new ArgumentOutOfRangeException(
            nameof(maxDeviation), maxDeviation, "The largest deviation must be above 0 and at most 0.5.");
}
