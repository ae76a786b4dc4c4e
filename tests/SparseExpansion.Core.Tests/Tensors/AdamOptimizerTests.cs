using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Tensors;

public sealed class AdamOptimizerTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void Step_AgainstTheFormulas_MovesAlike(double decay)
    {
        using var parameter = new Parameter(tensor([1f, -2f, 3f]));
        var options = new AdamOptions { LearningRate = 0.05, FirstDecay = 0.8, SecondDecay = 0.95, Epsilon = 1e-6, WeightDecay = decay };
        using var optimizer = new AdamOptimizer([parameter], options);
        double[] expected = [1, -2, 3], first = new double[3], second = new double[3];
        for (int step = 1; step <= 20; step++)
        {
            optimizer.LearningRate = 0.05 / step;
            using (var scope = NewDisposeScope())
            {
                optimizer.ZeroGradients();
                (parameter * parameter * parameter).sum().backward();
                optimizer.Step();
            }

            for (int i = 0; i < 3; i++)
            {
                double gradient = 3 * expected[i] * expected[i], rate = 0.05 / step;
                expected[i] *= 1 - (rate * decay);
                first[i] = (0.8 * first[i]) + (0.2 * gradient);
                second[i] = (0.95 * second[i]) + (0.05 * gradient * gradient);
                expected[i] -= rate / (1 - Math.Pow(0.8, step)) * first[i] / (Math.Sqrt(second[i] / (1 - Math.Pow(0.95, step))) + 1e-6);
            }

            Assert.Equal(expected, parameter.data<float>().Select(value => (double)value), (e, a) => Math.Abs(e - a) < 1e-4);
        }
    }

    [Fact]
    public void Step_WithoutGradient_LeavesTheParameter()
    {
        using var parameter = new Parameter(tensor([1f]));
        using var optimizer = new AdamOptimizer([parameter], new AdamOptions { WeightDecay = 1 });
        optimizer.Step();
        Assert.Equal(1, parameter.data<float>()[0]);
    }

    [Fact]
    public void Create_BadArguments_SaysWhich()
    {
        using var parameter = new Parameter(tensor([1f]));
        using Tensor plain = ones(1);
        Assert.Throws<ArgumentNullException>(() => new AdamOptimizer(null!));
        Assert.Throws<ArgumentException>(() => new AdamOptimizer([]));
        Assert.Contains("requires a gradient", Assert.Throws<ArgumentException>(() => new AdamOptimizer([plain])).Message, StringComparison.Ordinal);
        foreach ((AdamOptions options, string name) in new[]
        {
            (new AdamOptions { LearningRate = 0 }, "LearningRate"), (new AdamOptions { FirstDecay = 1 }, "FirstDecay"),
            (new AdamOptions { SecondDecay = -0.1 }, "SecondDecay"), (new AdamOptions { Epsilon = 0 }, "Epsilon"),
            (new AdamOptions { WeightDecay = double.NaN }, "WeightDecay"),
        })
        {
            Assert.Contains(name, Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptimizer([parameter], options)).Message, StringComparison.Ordinal);
        }

        var optimizer = new AdamOptimizer([parameter]);
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.LearningRate = double.PositiveInfinity);
        optimizer.Dispose();
        optimizer.Dispose();
        Assert.Throws<ObjectDisposedException>(optimizer.Step);
    }

    [Fact]
    public void Optimizer_LeavesNoTensors()
    {
        using var parameter = new Parameter(tensor([1f, 2f]));
        LeakCheck.NoTensorsLeft(() =>
        {
            using var optimizer = new AdamOptimizer([parameter]);
            using (Tensor loss = parameter.sum())
            {
                loss.backward();
            }

            optimizer.Step();
            optimizer.ZeroGradients();
        });
    }
}
