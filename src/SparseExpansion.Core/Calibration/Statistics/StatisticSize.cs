namespace SparseExpansion.Calibration.Statistics;

/// <summary>The memory of any statistic, reported by it or estimated.</summary>
internal static class StatisticSize
{
    /// <summary>Bytes of one statistic; one that does not tell is taken for a Hessian.</summary>
    public static long Bytes(IActivationStatistic kind, long features) =>
        kind is ISizedStatistic sized ? sized.BytesFor(features) : HessianBytes(features);

    /// <summary>Floating-point operations to observe tokens.</summary>
    public static double Work(IActivationStatistic kind, long tokens, long features) =>
        kind is ISizedStatistic sized ? sized.WorkToObserve(tokens, features) : HessianWork(tokens, features);

    public static long HessianBytes(long features) => features * features * sizeof(float);

    public static double HessianWork(long tokens, long features) => 2.0 * tokens * features * features;
}
