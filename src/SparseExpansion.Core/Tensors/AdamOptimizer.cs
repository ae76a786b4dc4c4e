using static TorchSharp.torch;

namespace SparseExpansion.Tensors;

/// <summary>
/// Adam with decoupled weight decay (Kingma &amp; Ba 2015; Loshchilov &amp; Hutter 2019), for training experts
/// (<see cref="Layers.SparseMixtureLayer.Unfreeze"/>) and models. The optimizers of TorchSharp hand libtorch temporary
/// numbers, which a garbage collection may free during the step; this one does not (<see cref="Scalars"/>).
/// </summary>
public sealed class AdamOptimizer : IDisposable
{
    private readonly Tensor[] _parameters;
    private readonly AdamSteps _steps;
    private double _learningRate;
    private bool _disposed;

    /// <summary>Makes an optimizer, with moments of the dtype and on the device of each parameter.</summary>
    /// <param name="parameters">Leaf tensors of a floating-point dtype that
    /// want gradients. They stay the caller's.</param>
    /// <param name="options">Settings; the defaults where they are not given.</param>
    /// <exception cref="ArgumentException">There are no parameters, or one is
    /// no leaf that wants a gradient.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public AdamOptimizer(IEnumerable<Tensor> parameters, AdamOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        options ??= new AdamOptions();
        options.Validate();
        _parameters = [.. parameters];
        if (_parameters.Length == 0
            || Array.Exists(_parameters, parameter => parameter is not { requires_grad: true, is_leaf: true }))
        {
            throw new ArgumentException(
                "An optimizer takes at least one parameter, and each must be a leaf that requires a gradient.",
                nameof(parameters));
        }

        _learningRate = options.LearningRate;
        _steps = new AdamSteps(_parameters, options);
        foreach (Tensor moment in _steps.Moments)
        {
            moment.DetachFromDisposeScope();
        }
    }

    /// <summary>Learning rate of the next step, at least 0 and finite.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LearningRate
    {
        get => _learningRate;
        set => _learningRate = value is >= 0 and < double.PositiveInfinity
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), value, $"{nameof(LearningRate)} must be at least 0 and finite.");
    }

    /// <summary>Moves the parameters by their gradients; those without one stay as they are.</summary>
    /// <exception cref="ObjectDisposedException">The optimizer was disposed.</exception>
    public void Step()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var scope = NewDisposeScope();
        _steps.Apply([.. _parameters.Select(parameter => parameter.grad)], _learningRate);
    }

    /// <summary>Sets the gradients of all parameters to zero.</summary>
    public void ZeroGradients()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (Tensor parameter in _parameters)
        {
            parameter.grad?.zero_();
        }
    }

    /// <summary>Frees the moments; parameters and gradients stay.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            foreach (Tensor moment in _steps.Moments)
            {
                moment.Dispose();
            }
        }
    }
}
