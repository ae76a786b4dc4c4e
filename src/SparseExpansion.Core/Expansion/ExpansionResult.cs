using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.Expansion;

/// <summary>An expanded model's report, its new layers, and the way back.</summary>
/// <remarks>The model keeps its mixtures when the result is disposed; only the dense layers, kept for <see cref="Revert"/>, are freed.</remarks>
public sealed class ExpansionResult : IDisposable
{
    private readonly IReadOnlyList<Replacement> _replacements;
    private bool _settled;

    internal ExpansionResult(ExpansionReport report, IReadOnlyList<Replacement> replacements)
    {
        Report = report;
        _replacements = replacements;
        Layers = replacements.ToDictionary(replacement => replacement.Slot.Name, replacement => replacement.Mixture);
    }

    /// <summary>What was done, layer by layer.</summary>
    public ExpansionReport Report { get; }

    /// <summary>The mixtures by module path; they belong to the model.</summary>
    public IReadOnlyDictionary<string, SparseMixtureLayer> Layers { get; }

    /// <summary>Puts the dense layers back and frees the mixtures.</summary>
    /// <exception cref="InvalidOperationException">The result was disposed or reverted.</exception>
    public void Revert()
    {
        if (_settled)
        {
            throw new InvalidOperationException("The dense layers are gone: the result was disposed, or reverted before.");
        }

        _settled = true;
        Replacement.UndoAll(_replacements);
    }

    /// <summary>Frees the dense layers. The model stays expanded.</summary>
    public void Dispose()
    {
        if (!_settled)
        {
            _settled = true;
            foreach (Replacement replacement in _replacements)
            {
                replacement.Slot.ReleaseDense();
            }
        }
    }
}
