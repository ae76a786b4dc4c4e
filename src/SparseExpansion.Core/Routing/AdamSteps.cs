using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>Adam (Kingma &amp; Ba 2015) for a few tensors; its moments live in the dispose scope of its creation.</summary>
internal sealed class AdamSteps(IReadOnlyList<Tensor> variables, double epsilon = 1e-8)
{
    private const double FirstDecay = 0.9;
    private const double SecondDecay = 0.999;
    private readonly Tensor[] _first = [.. variables.Select(variable => zeros_like(variable, requires_grad: false))];
    private readonly Tensor[] _second = [.. variables.Select(variable => zeros_like(variable, requires_grad: false))];
    private int _steps;

    /// <summary>A step by gradients, one for each variable.</summary>
    public void Apply(IList<Tensor> gradients, double learningRate)
    {
        _steps++;
        using var noGrad = no_grad();
        for (int i = 0; i < variables.Count; i++)
        {
            _first[i].mul_(FirstDecay).add_(gradients[i], alpha: 1 - FirstDecay);
            _second[i].mul_(SecondDecay).addcmul_(gradients[i], gradients[i], 1 - SecondDecay);
            Tensor root = (_second[i] / (1 - Math.Pow(SecondDecay, _steps))).sqrt_().add_(epsilon);
            variables[i].addcdiv_(_first[i], root, -learningRate / (1 - Math.Pow(FirstDecay, _steps)));
        }
    }
}
