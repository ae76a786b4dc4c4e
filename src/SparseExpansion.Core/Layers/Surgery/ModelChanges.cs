using TorchSharp.Modules;

namespace SparseExpansion.Layers.Surgery;

/// <summary>
/// All that an expansion has changed in a model: the mixtures that stand in for linears, weights that were rounded, and
/// parameters of the dense model that were trained. The one place that installs, and that takes back.
/// </summary>
internal sealed class ModelChanges
{
    private readonly List<Replacement> _installed = [];
    private readonly List<SavedParameter> _saved = [];
    private readonly List<RoundedParameter> _rounded = [];

    /// <summary>The mixtures in the order in which they were installed.</summary>
    public IReadOnlyList<Replacement> Installed => _installed;

    /// <summary>The dense weights that were rounded, in the order in which they were.</summary>
    public IReadOnlyList<RoundedParameter> Rounded => _rounded;

    /// <summary>True if nothing is installed or rounded.</summary>
    public bool IsEmpty => _installed.Count == 0 && _rounded.Count == 0;

    /// <summary>Puts a mixture into the place of a linear.</summary>
    public void Install(Replacement replacement)
    {
        _installed.Add(replacement);
        replacement.Slot.Install(replacement.Mixture);
    }

    /// <summary>Notes the values of a parameter that is about to be changed in place.</summary>
    public void Save(Parameter parameter) => _saved.Add(new SavedParameter(parameter));

    /// <summary>Rounds a dense weight. Belongs to the changes from now on.</summary>
    public void Round(RoundedParameter weight)
    {
        _rounded.Add(weight);
        weight.Install();
    }

    /// <summary>
    /// Does something with dense layers and their own weights back in their places, and installs the mixtures and the
    /// rounded weights again.
    /// </summary>
    /// <param name="first">The first of the installed mixtures to take out; those after it follow.</param>
    /// <param name="firstRounded">The same of the rounded weights.</param>
    /// <param name="action">Runs the dense layers.</param>
    public T WithDense<T>(int first, int firstRounded, Func<T> action)
    {
        List<Replacement> taken = _installed[first..];
        List<RoundedParameter> weights = _rounded[firstRounded..];
        taken.ForEach(replacement => replacement.Slot.Restore());
        weights.ForEach(weight => weight.Restore());
        try
        {
            return action();
        }
        finally
        {
            weights.ForEach(weight => weight.Install());
            taken.ForEach(replacement => replacement.Slot.Install(replacement.Mixture));
        }
    }

    /// <summary>Packs what can be packed.</summary>
    /// <remarks>After it has fed the next block: packed kernels may round differently from run to run.</remarks>
    public void Pack()
    {
        foreach (SparseMixtureLayer layer in _installed.Select(replacement => replacement.Mixture)
            .Where(layer => PackedExperts.Supports(layer.Experts)))
        {
            layer.Pack();
        }
    }

    /// <summary>Unpacks everything.</summary>
    public void Unpack() => _installed.ForEach(replacement => replacement.Mixture.Unpack());

    /// <summary>Puts all dense layers and values back and frees the mixtures.</summary>
    public void Undo()
    {
        foreach (Replacement replacement in _installed)
        {
            replacement.Slot.Restore();
            replacement.Mixture.Dispose();
        }

        foreach (RoundedParameter weight in _rounded)
        {
            weight.Restore();
            weight.Dispose();
        }

        SavedParameter.RestoreAll(_saved);
    }

    /// <summary>Keeps the changes for good: frees what <see cref="Undo"/> would need.</summary>
    public void Keep()
    {
        _installed.ForEach(replacement => replacement.Slot.ReleaseDense());
        _rounded.ForEach(weight => weight.Dispose());
        _saved.ForEach(saved => saved.Dispose());
    }
}
