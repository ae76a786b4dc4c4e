using SparseExpansion.Expansion.Reports;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Serialization.Expanded;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>An expanded model's report, its new layers, and the way back.</summary>
/// <remarks>
/// The model keeps its mixtures when the result is disposed; only the dense layers, kept for <see cref="Revert"/>, are
/// freed.
/// </remarks>
public sealed class ExpansionResult : IDisposable
{
    /// <summary>Name of the report in a folder that <see cref="Save"/> makes.</summary>
    public const string ReportFileName = "expansion-report.json";

    private readonly ModelChanges _changes;
    private readonly nn.Module _model;
    private bool _settled;
    private bool _reverted;

    internal ExpansionResult(nn.Module model, ExpansionReport report, ModelChanges changes)
    {
        _model = model;
        Report = report;
        _changes = changes;
        Layers = new MixtureCollection(
            changes.Installed.Select(replacement => (replacement.Slot.Name, replacement.Mixture)));
    }

    /// <summary>The report, layer by layer.</summary>
    public ExpansionReport Report { get; }

    /// <summary>The mixtures by module path, in the order in which they were made; they belong to the model.</summary>
    public MixtureCollection Layers { get; }

    /// <summary>
    /// Packs all layers or, if one cannot be, none; see <see cref="SparseMixtureLayer.Pack"/>. An expansion leaves them
    /// packed where it can.
    /// </summary>
    /// <returns>This result.</returns>
    /// <exception cref="InvalidOperationException"> The experts of a layer cannot be packed, or the expansion was
    /// reverted.
    /// </exception>
    public ExpansionResult Pack()
    {
        Living().Pack();
        return this;
    }

    /// <summary>
    /// Unpacks all layers: their experts are then differentiable, and move to any device with the model. See
    /// <see cref="SparseMixtureLayer.Unpack"/>.
    /// </summary>
    /// <returns>This result.</returns>
    /// <exception cref="InvalidOperationException">The expansion was reverted.</exception>
    public ExpansionResult Unpack()
    {
        Living().Unpack();
        return this;
    }

    /// <summary>
    /// Unpacks all layers and lets their kept weights and biases be trained; see
    /// <see cref="SparseMixtureLayer.Unfreeze"/>.
    /// </summary>
    /// <returns>The parameters of all layers, for one optimizer.</returns>
    /// <exception cref="InvalidOperationException"> The experts of a layer are quantized, or the expansion was
    /// reverted; no layer has changed.
    /// </exception>
    public IReadOnlyList<Parameter> Unfreeze() => Living().Unfreeze();

    /// <summary>
    /// Ends the training of all layers: pruned weights are exactly zero. <see cref="Pack"/> may follow.
    /// </summary>
    /// <returns>This result.</returns>
    /// <exception cref="InvalidOperationException">The expansion was reverted.</exception>
    public ExpansionResult Freeze()
    {
        Living().Freeze();
        return this;
    }

    /// <summary>Writes the expanded model and its report to a folder, which appears only when it is complete.</summary>
    /// <param name="folder">The folder to make; read it back with <see cref="ExpandedModel"/>.</param>
    /// <param name="overwrite">Replaces what is there; otherwise an existing folder must be empty.</param>
    /// <param name="addFiles">Called with the unfinished folder, to put further files into it.</param>
    /// <param name="format">Format in which the experts are stored; the model stays as it is.</param>
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
            throw new InvalidOperationException(
                "The dense layers are gone: the result was disposed, or reverted before.");
        }

        (_settled, _reverted) = (true, true);
        _changes.Undo();
    }

    private MixtureCollection Living() =>
        _reverted ? throw new InvalidOperationException("The expansion was reverted: its mixtures are gone, and the model is dense again.") : Layers;

    /// <summary>Frees the dense layers. The model stays expanded.</summary>
    public void Dispose()
    {
        if (!_settled)
        {
            _settled = true;
            _changes.Keep();
        }
    }
}
