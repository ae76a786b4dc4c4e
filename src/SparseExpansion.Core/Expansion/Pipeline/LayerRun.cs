using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>A linear on its way to a mixture.</summary>
internal sealed class LayerRun(GroupRun group, ModuleSlot slot) : IDisposable
{
    private readonly List<PruningResult> _experts = [];
    private IReadOnlyList<ExpertReport> _reports = [];
    private SparseMixtureLayer? _mixture;

    public GroupRun Group => group;

    public string Name => slot.Name;

    public Linear Dense => (Linear)slot.Dense;

    /// <summary>[out_features, in_features].</summary>
    public Tensor Weight => Dense.weight!;

    /// <summary>The experts, as far as they are made.</summary>
    public IReadOnlyList<PruningResult> Experts => _experts;

    /// <summary>
    /// [out_features], or [experts, out_features] where each expert has its own; null: none. Not owned.
    /// </summary>
    public Tensor? Bias { get; set; } = ((Linear)slot.Dense).bias;

    /// <summary>Time spent on the layer.</summary>
    public double Seconds { get; set; }

    /// <summary>Reports of steps on the layer.</summary>
    public ReportParts Parts { get; } = new();

    public void Add(IEnumerable<PruningResult> experts) => _experts.AddRange(experts);

    /// <summary>Takes the mixture and what is known of its experts, whose tensors are then freed.</summary>
    public void Complete(SparseMixtureLayer mixture, double[] errors)
    {
        _mixture = mixture;
        _reports = [.. _experts.Select((expert, e) => new ExpertReport(
            group.Tokens.Count(e), expert.Sparsity, errors[e], expert.Diagnostics))];
        Dispose();
    }

    /// <summary>The mixture and its place.</summary>
    public Replacement ToReplacement() => new(slot, _mixture!);

    /// <summary>The report as things stand: the experts may be packed later.</summary>
    public LayerReport ToReport() => new()
    {
        Name = slot.Name,
        InputGroup = [.. group.Slots.Select(member => member.Name)],
        InFeatures = Dense.in_features,
        OutFeatures = Dense.out_features,
        DenseBytes = Weight.numel() * Weight.ElementSize,
        ExpertBytes = _mixture!.ExpertBytes,
        Seconds = Seconds,
        ExpertReports = _reports,
        Parts = ReportParts.Complete(Parts.Values, ExpansionRecipe.Remarks.Select(part => part.AbsentFromLayer)),
    };

    /// <summary>Frees the experts that are made; the mixture has its own.</summary>
    public void Dispose()
    {
        _experts.DisposeAll();
        _experts.Clear();
    }

    /// <summary>Frees a mixture that is not installed.</summary>
    public void Discard()
    {
        Dispose();
        _mixture?.Dispose();
    }
}
