using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using SparseExpansion.Transformers.Decoder.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.FeedForward;

/// <summary>
/// Compares with a loop over the tokens in which every expert computes every token, those that were not chosen with
/// weight 0.
/// </summary>
public sealed class RoutedFeedForwardTests
{
    private const int Hidden = 6;

    [Theory]
    [InlineData(8, 2, 3, true)]
    [InlineData(8, 2, 3, false)]
    [InlineData(4, 1, 40, true)]
    [InlineData(4, 1, 40, false)]
    [InlineData(5, 5, 9, false)]
    public void Forward_AnyRouting_EqualsTheLoopAndSoDoTheGradients(int experts, int perToken, int tokens, bool normalizes)
    {
        using var scope = NewDisposeScope();
        using RoutedFeedForward network = Make(experts, perToken, normalizes);
        Tensor input = randn([2, tokens, Hidden], float64, generator: new Generator(5)).requires_grad_();
        Tensor outer = randn([2, tokens, Hidden], float64, generator: new Generator(6));
        Parameter[] parameters = [.. network.parameters()];

        Tensor actual = network.call(input);
        (actual * outer).sum().backward();
        Tensor[] gradients = [.. parameters.Append(input).Select(TakeGradient)];
        Tensor expected = Loop(network, input, perToken, normalizes);
        (expected * outer).sum().backward();
        Tensor[] expectedGradients = [.. parameters.Append(input).Select(TakeGradient)];

        Assert.True(actual.allclose(expected, rtol: 1e-5, atol: 1e-6));
        Assert.All(gradients.Zip(expectedGradients), pair => Assert.True(pair.First.allclose(pair.Second, rtol: 1e-4, atol: 1e-5)));
        Assert.True(gradients.All(gradient => gradient.isfinite().all().item<bool>()));
        Assert.True(gradients[0].abs().max().item<double>() > 1e-3 || (normalizes && perToken == 1)); // That of the router.
    }

    [Fact]
    public void Forward_LeavesOneNewTensor()
    {
        using RoutedFeedForward network = Make(4, 2, true);
        using Tensor input = ones([1, 5, Hidden], float64);
        LeakCheck.NoTensorsLeft(() =>
        {
            using var noGrad = no_grad();
            network.call(input).Dispose();
        });
    }

    private static Tensor Loop(RoutedFeedForward network, Tensor input, int perToken, bool normalizes)
    {
        Dictionary<string, Parameter> weights =
            network.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        int experts = (int)weights["gate.weight"].size(0);
        var rows = new List<Tensor>();
        foreach (Tensor token in input.view(-1, Hidden).unbind())
        {
            Tensor probabilities = weights["gate.weight"].mv(token).softmax(0);
            double[] values = probabilities.data<double>().ToArray();
            int[] chosen = [.. Enumerable.Range(0, experts).OrderByDescending(expert => values[expert]).Take(perToken)];
            Tensor mask = tensor(Enumerable.Range(0, experts).Select(expert => chosen.Contains(expert) ? 1.0 : 0.0).ToArray());
            Tensor shares = probabilities * mask;
            shares = normalizes ? shares / shares.sum() : shares;
            Tensor sum = zeros(Hidden, float64);
            for (int expert = 0; expert < experts; expert++)
            {
                Tensor Weight(string name) => weights[$"experts.{expert}.{name}.weight"];
                Tensor gate = Weight("w1").mv(token);
                Tensor inner = gate / gate.neg().exp().Plus(1) * Weight("w3").mv(token);
                sum = sum.Plus(Weight("w2").mv(inner) * shares[expert]);
            }

            rows.Add(sum);
        }

        return stack(rows).view(input.shape);
    }

    /// <summary>The gradient, zeros where there is none, and forgets it.</summary>
    private static Tensor TakeGradient(Tensor tensor)
    {
        Tensor gradient = tensor.grad is { } found ? found.clone() : zeros_like(tensor);
        tensor.grad?.zero_();
        return gradient.detach();
    }

    private static RoutedFeedForward Make(int experts, int perToken, bool normalizes)
    {
        var config = new ModelConfig
        {
            ModelType = "mixtral",
            VocabularySize = 8,
            HiddenSize = Hidden,
            IntermediateSize = 10,
            HeadCount = 1,
            KeyValueHeadCount = 1,
            HeadDimension = Hidden,
            MaxPositions = 8,
            Layers = [new LayerOptions { HasExperts = true }],
            Experts = new() { Count = experts, PerToken = perToken, IntermediateSize = 10, NormalizesWeights = normalizes },
        };
        var network = new RoutedFeedForward(
            config, ModelFamilies.Of("mixtral").Names, new WeightPlacement(CPU, ScalarType.Float64));
        using var noGrad = no_grad();
        using var generator = new Generator(4);
        foreach (Parameter parameter in network.parameters())
        {
            parameter.normal_(0, 0.8, generator);
        }

        return network;
    }
}
