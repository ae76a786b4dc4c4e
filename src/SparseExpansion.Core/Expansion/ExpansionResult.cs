using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>An expanded model's report, its new layers, and the way back.</summary>
/// <remarks>The model keeps its mixtures when the result is disposed; only the dense layers, kept for <see cref="Revert"/>, are freed.</remarks>
public sealed class ExpansionResult : IDisposable
{
    /// <summary>Name of the report in a folder that <see cref="Save"/> makes.</summary>
    public const string ReportFileName = "expansion-report.json";

    private readonly IReadOnlyList<Replacement> _replacements;
    private readonly IReadOnlyList<SavedParameter> _saved;
    private readonly nn.Module _model;
    private bool _settled;

    internal ExpansionResult(nn.Module model, ExpansionReport report, IReadOnlyList<Replacement> replacements, IReadOnlyList<SavedParameter> saved)
    {
        _model = model;
        Report = report;
        _replacements = replacements;
        _saved = saved;
        Layers = replacements.ToDictionary(replacement => replacement.Slot.Name, replacement => replacement.Mixture);
    }

    /// <summary>What was done, layer by layer.</summary>
    public ExpansionReport Report { get; }

    /// <summary>The mixtures by module path; they belong to the model.</summary>
    public IReadOnlyDictionary<string, SparseMixtureLayer> Layers { get; }

    /// <summary>Writes the expanded model and its report to a folder, which appears only when it is complete.</summary>
    /// <param name="folder">The folder to make; read it back with <see cref="ExpandedModel"/>.</param>
    /// <param name="overwrite">Replaces what is there; otherwise an existing folder must be empty.</param>
    /// <param name="addFiles">Called with the unfinished folder, to put further files into it.</param>
    /// <param name="format">How the experts are stored; the model stays as it is.</param>
    /// <exception cref="CheckpointException">The folder exists or cannot be written.</exception>
    public void Save(string folder, bool overwrite = false, Action<string>? addFiles = null, ExpertFormat format = ExpertFormat.Unchanged)
    {
        ExpandedModel.Save(_model, folder, overwrite, AddFiles, format);

        void AddFiles(string path)
        {
            File.WriteAllText(Path.Combine(path, ReportFileName), Report.ToJson() + "\n");
            addFiles?.Invoke(path);
        }
    }

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
        SavedParameter.RestoreAll(_saved);
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

            foreach (SavedParameter saved in _saved)
            {
                saved.Dispose();
            }
        }
    }
}
