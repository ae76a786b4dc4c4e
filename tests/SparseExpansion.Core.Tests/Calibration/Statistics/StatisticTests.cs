using CsCheck;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

public sealed class StatisticTests
{
    private const int Features = 5;

    public static TheoryData<string> Kinds => ["hessian", "norms", "count"];

    [Fact]
    public void Hessian_ObserveInParts_IsSumOfOuterProducts() => Gen.Int[1, 40].Sample(
        tokens =>
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)tokens);
            Tensor x = randn(tokens, Features, generator: generator);
            using var statistic = new HessianStatistic(Features, CPU);
            statistic.Observe(x.narrow(0, 0, tokens / 2));
            statistic.Observe(x.narrow(0, tokens / 2, tokens - (tokens / 2)));
            Tensor expected = x.to(ScalarType.Float64).t().matmul(x.to(ScalarType.Float64));
            Assert.Equal(tokens, statistic.TokenCount);
            AssertClose(expected, statistic.Hessian);
            using Tensor diagonal = statistic.Diagonal();
            AssertClose(expected.diagonal(), diagonal);
        },
        iter: 30);

    [Fact]
    public void Norms_ObserveInParts_AreSumsOfSquares()
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(33, Features);
        using var statistic = new ColumnNormStatistic(Features, CPU);
        statistic.Observe(x.narrow(0, 0, 10));
        statistic.Observe(x.narrow(0, 10, 23).to(ScalarType.BFloat16));
        Tensor rounded = cat([x.narrow(0, 0, 10), x.narrow(0, 10, 23).to(ScalarType.BFloat16).to(ScalarType.Float32)], 0);
        AssertClose(rounded.to(ScalarType.Float64).Squared().sum([0L]), statistic.SquaredNorms);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Merge_TwoHalves_EqualsTheWhole(string kind) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(20, Features);
        using IActivationStatistic whole = Create(kind), left = Create(kind), right = Create(kind);
        whole.Observe(x);
        left.Observe(x.narrow(0, 0, 7));
        right.Observe(x.narrow(0, 7, 13));
        left.Merge(right);
        Assert.Equal(20, left.TokenCount);
        if (Values(whole) is { } expected)
        {
            AssertClose(expected, Values(left)!);
        }
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Observe_NoTokens_ChangesNothing(string kind)
    {
        using var scope = NewDisposeScope();
        using IActivationStatistic statistic = Create(kind);
        statistic.Observe(zeros(0, Features));
        Assert.Equal(0, statistic.TokenCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Observe_WrongShape_NamesBothWidths(string kind)
    {
        using var scope = NewDisposeScope();
        using IActivationStatistic statistic = Create(kind);
        string message = Assert.Throws<ArgumentException>(() => statistic.Observe(zeros(3, 7))).Message;
        Assert.Contains("5", message, StringComparison.Ordinal);
        Assert.Contains("7", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => statistic.Observe(zeros(Features)));
        Assert.Throws<ArgumentException>(() => statistic.Observe(zeros([3, Features], ScalarType.Int64)));
        Assert.Throws<ArgumentNullException>(() => statistic.Observe(null!));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Merge_OtherKindOrSize_Throws(string kind)
    {
        using IActivationStatistic statistic = Create(kind);
        using IActivationStatistic other = Create(kind == "count" ? "norms" : "count");
        using IActivationStatistic wider = Create(kind, Features + 1);
        Assert.Throws<ArgumentException>(() => statistic.Merge(other));
        Assert.Throws<ArgumentException>(() => statistic.Merge(wider));
        Assert.Throws<ArgumentNullException>(() => statistic.Merge(null!));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Constructor_NoFeatures_Throws(string kind) => Assert.Throws<ArgumentOutOfRangeException>(() => Create(kind, 0));

    [Fact]
    public void Buffers_CallersScopeEnds_Survive()
    {
        HessianStatistic hessian;
        ColumnNormStatistic norms;
        using (NewDisposeScope())
        {
            hessian = new HessianStatistic(Features, CPU);
            norms = new ColumnNormStatistic(Features, CPU);
        }

        using (hessian)
        using (norms)
        {
            Assert.False(hessian.Hessian.IsInvalid);
            Assert.False(norms.SquaredNorms.IsInvalid);
        }

        Assert.True(hessian.Hessian.IsInvalid);
        Assert.True(norms.SquaredNorms.IsInvalid);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(1e30f)]
    public void ThrowIfUnusable_BadActivation_SaysHowMany(float bad)
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(4, Features);
        x[2, 3] = bad;
        using var hessian = new HessianStatistic(Features, CPU);
        using var norms = new ColumnNormStatistic(Features, CPU);
        hessian.Observe(x);
        norms.Observe(x);
        Assert.Contains("1 of 5", Assert.Throws<CalibrationException>(hessian.ThrowIfUnusable).Message, StringComparison.Ordinal);
        Assert.Contains("1 of 5", Assert.Throws<CalibrationException>(norms.ThrowIfUnusable).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThrowIfUnusable_NoToken_Throws()
    {
        using var hessian = new HessianStatistic(Features, CPU);
        using var norms = new ColumnNormStatistic(Features, CPU);
        Assert.Throws<CalibrationException>(hessian.ThrowIfUnusable);
        Assert.Throws<CalibrationException>(norms.ThrowIfUnusable);
    }

    [Fact]
    public void RelativeOutputError_AnyWidth_IsThatOfTheOutputs() => Gen.Select(Gen.Int[1, 600], Gen.Int[1, 9]).Sample(
        (width, rows) =>
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)(width + (1000 * rows)));
            Tensor x = randn(50, width, generator: generator), dense = randn(rows, width, generator: generator);
            Tensor changed = dense.mul(randn(rows, width, generator: generator).gt(Scalars.Of(0)));
            using var statistic = new HessianStatistic(width, CPU);
            statistic.Observe(x);
            Tensor wide = x.to(ScalarType.Float64);
            double expected = (wide.matmul((dense - changed).to(ScalarType.Float64).t()).Squared().sum()
                / wide.matmul(dense.to(ScalarType.Float64).t()).Squared().sum()).item<double>();
            double alone = statistic.RelativeOutputError(dense, changed);
            Assert.Equal(expected, alone, 1e-5 * expected);
            Assert.Equal(alone, ((ISharedOutputError)statistic).RelativeOutputError(dense, dense.t().matmul(dense), changed), 1e-6 * alone);
        },
        iter: 25);

    [Fact]
    public void RelativeOutputError_Unchanged_IsZero()
    {
        using var scope = NewDisposeScope();
        using var statistic = new HessianStatistic(Features, CPU);
        Tensor weight = randn(3, Features);
        Assert.Equal(0, statistic.RelativeOutputError(weight, weight.clone()));
        Assert.Equal(0, statistic.RelativeOutputError(weight, zeros(3, Features)));
        Assert.Throws<ArgumentException>(() => statistic.RelativeOutputError(weight, zeros(3, 4)));
    }

    private static IActivationStatistic Create(string kind, int features = Features) => kind switch
    {
        "hessian" => new HessianStatistic(features, CPU),
        "norms" => new ColumnNormStatistic(features, CPU),
        _ => new TokenCountStatistic(features),
    };

    private static Tensor? Values(IActivationStatistic statistic) =>
        (statistic as HessianStatistic)?.Hessian ?? (statistic as ColumnNormStatistic)?.SquaredNorms;

    private static void AssertClose(Tensor expected, Tensor actual) =>
        Assert.True(actual.to(ScalarType.Float64).allclose(expected.to(ScalarType.Float64), 1e-4, 1e-4), "Values differ.");
}
