using SparseExpansion.Quantization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers.Surgery;

/// <summary>A dense weight that was rounded. Its parameter is given other memory, so that the former stays.</summary>
internal sealed class RoundedParameter : IDisposable
{
    private readonly nn.Module _module;
    private readonly Parameter _parameter;
    private readonly Tensor _original;
    private readonly Tensor _rounded;
    private readonly WeightGrid _grid;

    /// <param name="name">Module path.</param>
    /// <param name="module">The module that has the weight.</param>
    /// <param name="parameter">The weight.</param>
    /// <param name="rounded">Its new values, of the same shape, dtype and device; copied.</param>
    /// <param name="grid">The grid that they lie on; taken over.</param>
    public RoundedParameter(string name, nn.Module module, Parameter parameter, Tensor rounded, QuantizationGrid grid)
    {
        (Name, _module, _parameter, Grid) = (name, module, parameter, grid);
        using var noGrad = no_grad();
        _original = parameter.detach().DetachFromDisposeScope();
        _rounded = rounded.to(parameter.dtype, copy: true).contiguous().DetachFromDisposeScope();
        _grid = WeightGrid.Of(grid);
    }

    /// <summary>Module path.</summary>
    public string Name { get; }

    /// <summary>The grid.</summary>
    public QuantizationGrid Grid { get; }

    /// <summary>The rounded values.</summary>
    public Tensor Rounded => _rounded;

    /// <summary>Bytes of codes, scales and zero points.</summary>
    public long StoredBytes => _grid.StoredBytes;

    /// <summary>Relative output error on the calibration tokens; null where none reached the weight.</summary>
    public double? OutputError { get; init; }

    /// <summary>True for the weight of a module.</summary>
    public bool IsOf(nn.Module module) => ReferenceEquals(module, _module);

    /// <summary>Gives the module the rounded values.</summary>
    public void Install()
    {
        Give(_rounded);
        RoundedWeights.Set(_module, _grid);
    }

    /// <summary>Gives the module its own values back.</summary>
    public void Restore()
    {
        Give(_original);
        RoundedWeights.Remove(_module);
    }

    /// <summary>Frees everything but what the parameter has now.</summary>
    public void Dispose()
    {
        _original.Dispose();
        _rounded.Dispose();
        Grid.Dispose();
    }

    private void Give(Tensor values)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope(); // For the handle that set_ gives back.
        _parameter.set_(values);
    }
}
