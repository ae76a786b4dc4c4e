using static TorchSharp.torch;

namespace SparseExpansion.Tensors;

/// <summary>
/// The arithmetic of <see cref="AdamOptimizer"/> for a few tensors; its
/// moments live in the dispose scope of its creation.
/// </summary>
internal sealed class AdamSteps(IReadOnlyList<Tensor> variables, AdamOptions options)
{
    private readonly Tensor[] _first = [.. variables.Select(variable => zeros_like(variable, requires_grad: false))];
    private readonly Tensor[] _second = [.. variables.Select(variable => zeros_like(variable, requires_grad: false))];
    private readonly int[] _steps = new int[variables.Count];

    /// <summary>Both moments of all variables.</summary>
    public IEnumerable<Tensor> Moments => _first.Concat(_second);

    /// <summary>A step by gradients, one for each variable; a variable whose gradient is null stays as it is.</summary>
    public void Apply(IReadOnlyList<Tensor?> gradients, double learningRate)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        for (int i = 0; i < variables.Count; i++)
        {
            if (gradients[i] is { } gradient)
            {
                Move(i, gradient, learningRate);
            }
        }
    }

    private void Move(int i, Tensor gradient, double learningRate)
    {
        int step = ++_steps[i];
        if (options.WeightDecay > 0)
        {
            variables[i].mul_(Scalars.Of(1 - (learningRate * options.WeightDecay)));
        }

        _first[i].mul_(Scalars.Of(options.FirstDecay)).add_(gradient, alpha: Scalars.Of(1 - options.FirstDecay));
        _second[i].mul_(Scalars.Of(options.SecondDecay))
            .addcmul_(gradient, gradient, Scalars.Of(1 - options.SecondDecay));
        Tensor root = (_second[i] / Scalars.Of(1 - Math.Pow(options.SecondDecay, step))).sqrt_()
            .PlusInPlace(options.Epsilon);
        variables[i].addcdiv_(_first[i], root, Scalars.Of(-learningRate / (1 - Math.Pow(options.FirstDecay, step))));
    }
}
