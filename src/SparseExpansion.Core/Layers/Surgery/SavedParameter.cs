using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers.Surgery;

/// <summary>A parameter of the dense model that is changed in place, and the values that it had.</summary>
internal sealed class SavedParameter : IDisposable
{
    private readonly Parameter _parameter;
    private readonly Tensor _original;

    public SavedParameter(Parameter parameter)
    {
        _parameter = parameter;
        using var noGrad = no_grad();
        _original = parameter.clone().DetachFromDisposeScope();
    }

    /// <summary>Puts all values back and frees the copies.</summary>
    public static void RestoreAll(IEnumerable<SavedParameter> saved)
    {
        using var noGrad = no_grad();
        foreach (SavedParameter entry in saved)
        {
            entry._parameter.copy_(entry._original);
            entry.Dispose();
        }
    }

    public void Dispose() => _original.Dispose();
}
