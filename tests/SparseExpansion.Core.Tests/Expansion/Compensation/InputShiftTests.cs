using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Compensation;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Compensation;

public sealed class InputShiftTests : IDisposable
{
    private const int Features = 6;
    private const int Rows = 5;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _seen;
    private readonly Tensor _dense;
    private readonly Tensor _weight;

    public InputShiftTests()
    {
        manual_seed(3);
        _seen = randn(90, Features);
        _dense = _seen.matmul(eye(Features).Plus(Scalars.Of(0.2) * randn(Features, Features))).Plus(
            Scalars.Of(0.1) * randn(90, Features));
        _weight = randn(Rows, Features);
    }

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(1e-4)]
    [InlineData(0.3)]
    [InlineData(10)]
    public void Move_AgainstRidgeRegressionInFloat64_IsTheSame(double damping)
    {
        Tensor x = _seen.to(ScalarType.Float64), x0 = _dense.to(ScalarType.Float64);
        Tensor energy = x.t().matmul(x);
        Tensor damped = energy.Plus(
            Scalars.Of(damping) * energy.diagonal().mean() * eye(Features, dtype: ScalarType.Float64));
        Tensor expected = (x0 - x).t().matmul(x).matmul(damped.inverse());

        Tensor move = InputShift.Move(
            energy.to(ScalarType.Float32), (x0 - x).t().matmul(x).to(ScalarType.Float32), damping);

        Assert.True(move.to(ScalarType.Float64).allclose(expected, 1e-3, 1e-5));
    }

    [Fact]
    public void Move_LessDamping_ComesNearerToTheDenseInputs()
    {
        double[] distances = [.. new[] { 1e6, 1, 0.1, 1e-5 }.Select(damping =>
        {
            Tensor move = InputShift.Move(_seen.t().matmul(_seen), (_dense - _seen).t().matmul(_seen), damping);
            return (_dense - _seen.matmul(eye(Features).Plus(move).t())).norm().item<float>()
                / (double)(_dense - _seen).norm().item<float>();
        })];

        Assert.Equal(1, distances[0], 1e-3);
        Assert.True(
            distances.SequenceEqual(distances.OrderDescending()) && distances[^1] < 0.7, string.Join(", ", distances));
    }

    [Fact]
    public void Move_InputsWithoutEnergy_MoveNothing()
    {
        Tensor nothing = zeros(Features, Features);
        Assert.Equal(0, InputShift.Move(nothing, nothing, 0.3).abs().max().item<float>());

        Tensor seen = _seen.clone();
        seen.select(1, 2).zero_(); // One dead feature.
        Tensor move = InputShift.Move(seen.t().matmul(seen), (_dense - seen).t().matmul(seen), 1e-6);
        Assert.Equal(0, move.select(1, 2).abs().max().item<float>());
        Assert.True(TensorChecks.AllFinite(move));
    }

    [Fact]
    public void Gather_SomeExperts_SumsUpTheirTokensOnly()
    {
        using var router = new RandomRouter(Features, 4, 1);
        ExpertTokens pairs = Pairs(router);
        Tensor routes = router.Route(_seen);
        using InputShift shift = InputShift.Gather(pairs, Features, 0.3, CPU, 1, 2, default);

        for (int e = 1; e < 3; e++)
        {
            Tensor own = routes.eq(Scalars.Of(e)).nonzero().flatten(), x = _seen.index_select(0, own),
                x0 = _dense.index_select(0, own);
            Tensor expected = _weight.Plus(
                _weight.matmul(InputShift.Move(x.t().matmul(x), (x0 - x).t().matmul(x), 0.3)));
            Assert.True(shift.Compensate(_weight, e - 1).allclose(expected, 1e-3, 1e-4));
        }
    }

    [Fact]
    public void PruneExperts_WithoutSparsity_GivesTheCompensatedWeights()
    {
        using var router = new RandomRouter(Features, 2, 1);
        using InputShift shift = InputShift.Gather(Pairs(router), Features, 0.01, CPU, 0, 2, default);
        var pruner = new MagnitudeSparsifier();
        IActivationStatistic[] statistics = [.. Enumerable.Range(0, 2).Select(_ => Observed(pruner))];
        SparsityTarget none = SparsityTarget.Unstructured(0);

        IReadOnlyList<PruningResult> results = ExpertMaking.PruneOneByOne(
            pruner, expert => shift.Compensate(_weight, expert), statistics, [none, none], default);

        for (int e = 0; e < 2; e++)
        {
            Assert.True(TensorChecks.Equal(shift.Compensate(_weight, e), results[e].Weight));
            Assert.False(results[e].Weight.allclose(_weight, 1e-3, 1e-3));
        }

        results.DisposeAll();
        Array.ForEach(statistics, statistic => statistic.Dispose());
    }

    [Fact]
    public void MeasureShifted_AgainstTheOutputs_IsTheSame()
    {
        using var router = new RandomRouter(Features, 2, 1);
        using InputShift shift = InputShift.Gather(Pairs(router), Features, 0.01, CPU, 0, 2, default);
        var pruner = new MagnitudeSparsifier();
        IActivationStatistic[] statistics = [.. Enumerable.Range(0, 2).Select(_ => Observed(pruner))];
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        IReadOnlyList<PruningResult> results = ExpertMaking.PruneOneByOne(
            pruner, expert => shift.Compensate(_weight, expert), statistics, [half, half], default);

        ExpertOutputErrors errors = OutputErrorMeter.MeasureShifted(_weight, results, Pairs(router), default);

        Tensor routes = router.Route(_seen);
        for (int e = 0; e < 2; e++)
        {
            Tensor own = routes.eq(Scalars.Of(e)).nonzero().flatten();
            Tensor wanted = _dense.index_select(0, own).matmul(_weight.t()),
                made = _seen.index_select(0, own).matmul(results[e].Weight.t());
            Assert.Equal((wanted - made).Squared().sum().item<float>(), errors.Lost[e], 1e-3);
            Assert.Equal(wanted.Squared().sum().item<float>(), errors.Energy[e], 1e-3);
        }

        results.DisposeAll();
        Array.ForEach(statistics, statistic => statistic.Dispose());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 8e-3)]
    [InlineData(ScalarType.Float64, 1e-5)]
    public void Compensate_WeightOfAnotherType_KeepsIt(ScalarType type, double tolerance)
    {
        using var router = new RandomRouter(Features, 2, 1);
        using InputShift shift = InputShift.Gather(Pairs(router), Features, 0.01, CPU, 0, 2, default);
        Tensor compensated = shift.Compensate(_weight.to(type), 1);
        Assert.Equal(type, compensated.dtype);
        Assert.True(compensated.to(ScalarType.Float32).allclose(shift.Compensate(_weight.to(type).to(ScalarType.Float32), 1), tolerance, tolerance));
    }

    [Fact]
    public void Gather_ExpertWithoutTokens_LeavesItsWeightAsItIs()
    {
        var tokens = new TokenMatrix(_seen);
        using var router = new LinearRouter(zeros(2, Features), tensor([1f, 0f])); // All tokens go to the first.
        var pairs = new ExpertTokens(new TokenPairs(tokens, new TokenMatrix(_dense)), RouterAssignment.Compute(router, tokens, 40, CPU, default), 40, CPU);
        using InputShift shift = InputShift.Gather(pairs, Features, 0.3, CPU, 0, 2, default);
        Assert.True(TensorChecks.Equal(_weight, shift.Compensate(_weight, 1)));
        Assert.False(TensorChecks.Equal(_weight, shift.Compensate(_weight, 0)));

        var pruner = new MagnitudeSparsifier();
        IActivationStatistic[] statistics = [Observed(pruner), Observed(pruner)];
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        IReadOnlyList<PruningResult> results = ExpertMaking.PruneOneByOne(
            pruner, expert => shift.Compensate(_weight, expert), statistics, [half, half], default);
        double[] errors = OutputErrorMeter.MeasureShifted(_weight, results, pairs, default).PerExpert;
        Assert.True(errors[0] > 0);
        Assert.Equal(0, errors[1]);
        results.DisposeAll();
        Array.ForEach(statistics, statistic => statistic.Dispose());
    }

    [Fact]
    public void Gather_Repeated_LeavesNoTensor()
    {
        using var router = new RandomRouter(Features, 3, 1);
        ExpertTokens pairs = Pairs(router);
        LeakCheck.NoTensorsLeft(() =>
        {
            using InputShift shift = InputShift.Gather(pairs, Features, 0.3, CPU, 0, 3, default);
            shift.Compensate(_weight, 1).Dispose();
        });
    }

    [Fact]
    public void Gather_AnExpertThatCannotBeSolved_IsNamedAndLeavesNoTensor()
    {
        using var router = new RandomRouter(Features, 3, 1);
        using Tensor same = ones(90, Features); // Of rank one: without damping there is no solution.
        var tokens = new TokenMatrix(same);
        var pairs = new ExpertTokens(new TokenPairs(tokens, new TokenMatrix(_dense)), RouterAssignment.Compute(router, tokens, 40, CPU, default), 40, CPU);
        LeakCheck.NoTensorsLeft(() =>
        {
            var error = Assert.Throws<SparseExpansionException>(
                () => InputShift.Gather(pairs, Features, 1e-30, CPU, 0, 3, default));
            Assert.NotNull(ErrorPlace.ExpertOf(error));
            Assert.Contains(nameof(ErrorCompensationOptions.Damping), error.Message, StringComparison.Ordinal);
        });
    }

    private ExpertTokens Pairs(RandomRouter router)
    {
        var tokens = new TokenMatrix(_seen);
        return new ExpertTokens(new TokenPairs(tokens, new TokenMatrix(_dense)), RouterAssignment.Compute(router, tokens, 40, CPU, default), 40, CPU);
    }

    private IActivationStatistic Observed(ISparsifier pruner)
    {
        IActivationStatistic statistic = pruner.CreateStatistic(new LayerDescriptor("layer", Features, Rows, CPU));
        statistic.Observe(_seen);
        return statistic;
    }
}
