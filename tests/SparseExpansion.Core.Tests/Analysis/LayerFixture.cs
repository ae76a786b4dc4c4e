using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis;

/// <summary>A small layer with inputs in a few groups, so that its neurons are not Gaussian.</summary>
internal sealed class LayerFixture : IDisposable
{
    public const int In = 12;
    public const int Out = 20;

    public LayerFixture(int tokens = 600, int groups = 4, int seed = 1)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        Tensor centers = randn([groups, In], generator: generator) * Scalars.Of(3);
        Tensor chosen = TensorArithmetic.Range(tokens).remainder(Scalars.Of(groups));
        Inputs = centers.index_select(0, chosen).Plus(randn([tokens, In], generator: generator)).DetachFromDisposeScope();
        Weight = randn([Out, In], generator: generator).DetachFromDisposeScope();
        Bias = randn([Out], generator: generator).DetachFromDisposeScope();
    }

    public Tensor Inputs { get; }

    public Tensor Weight { get; }

    public Tensor Bias { get; }

    public DenseLinear Layer => new("layer", Weight, Bias);

    public TokenMatrix Tokens => new(Inputs);

    /// <summary>Outputs in double precision, one array for each neuron.</summary>
    public double[][] Outputs()
    {
        using var scope = NewDisposeScope();
        Tensor outputs = Inputs.to(ScalarType.Float64).matmul(Weight.to(ScalarType.Float64).t()).Plus(Bias).t().contiguous();
        return [.. Enumerable.Range(0, Out).Select(neuron => outputs[neuron].data<double>().ToArray())];
    }

    public double[][] InputRows()
    {
        using var scope = NewDisposeScope();
        Tensor inputs = Inputs.to(ScalarType.Float64);
        return [.. Enumerable.Range(0, (int)inputs.shape[0]).Select(token => inputs[token].data<double>().ToArray())];
    }

    public RouterAssignment Assign(int experts)
    {
        using var router = new RandomRouter(In, experts, 5);
        return RouterAssignment.Compute(router, Tokens, 100, CPU);
    }

    public void Dispose()
    {
        Inputs.Dispose();
        Weight.Dispose();
        Bias.Dispose();
    }
}
