using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>All that changes while a block, or the whole model, is expanded.</summary>
internal sealed class BlockRun
{
    private readonly int _installedBefore;
    private readonly int _roundedBefore;

    /// <param name="run">The run.</param>
    /// <param name="index">Index of the block.</param>
    /// <param name="inputs">Inputs of the block.</param>
    public BlockRun(ExpansionRun run, int index, IReadOnlyList<CalibrationBatch> inputs)
    {
        (Run, Index, Inputs) = (run, index, inputs);
        Block = run.Blocks[index];
        _installedBefore = run.Changes.Installed.Count;
        _roundedBefore = run.Changes.Rounded.Count;
    }

    public ExpansionRun Run { get; }

    public int Index { get; }

    public ExpansionBlock Block { get; }

    /// <summary>Inputs of the block.</summary>
    public IReadOnlyList<CalibrationBatch> Inputs { get; }

    /// <summary>Outputs of the block in the dense model, where a step needs that; null otherwise.</summary>
    public IReadOnlyList<CalibrationBatch>? DenseOutputs { get; set; }

    /// <summary>True if a block follows that takes the output of this one.</summary>
    public bool HandsOn => Index + 1 < Run.Blocks.Count && !Run.Blocks[Index + 1].IsWholeModel;

    /// <summary>True if this is the last block that has targets.</summary>
    public bool IsLast => Run.Blocks.Skip(Index + 1).All(block => block.Slots.Count == 0);

    /// <summary>Input groups that are finished.</summary>
    public int Groups { get; set; }

    /// <summary>The linears whose mixtures are built, in the order of execution.</summary>
    public List<LayerRun> Layers { get; } = [];

    /// <summary>The block's mixtures.</summary>
    public IReadOnlyList<SparseMixtureLayer> Mixtures =>
        [.. Run.Changes.Installed.Skip(_installedBefore).Select(replacement => replacement.Mixture)];

    /// <summary>The dense weights that were rounded in the block.</summary>
    public IEnumerable<RoundedParameter> Rounded => Run.Changes.Rounded.Skip(_roundedBefore);

    /// <summary>Reports of steps on the block.</summary>
    public ReportParts Parts { get; } = new();

    /// <summary>Tensors that a store keeps for steps, besides the mixtures; they belong to the model.</summary>
    public Dictionary<string, Tensor> Tensors { get; } = [];

    /// <summary>Puts a mixture into the model.</summary>
    public void Install(Replacement replacement) => Run.Changes.Install(replacement);

    /// <summary>
    /// Does something with the block as it is in the dense model; with all of the model, where that is expanded as a
    /// whole.
    /// </summary>
    public T RunDense<T>(Func<T> action) => Block.IsWholeModel
        ? Run.Changes.WithDense(0, 0, action)
        : Run.Changes.WithDense(_installedBefore, _roundedBefore, action);

    /// <summary>True if nothing has changed in what <see cref="RunDense"/> runs.</summary>
    public bool IsDense => Block.IsWholeModel
        ? Run.Changes.IsEmpty
        : Run.Changes.Installed.Count == _installedBefore && Run.Changes.Rounded.Count == _roundedBefore;

    /// <summary>Batches without the windows that steps keep for themselves.</summary>
    /// <param name="batches">The batches; stay with the caller.</param>
    /// <param name="views">Takes tensors that the result has and <paramref name="batches"/> has not.</param>
    public IReadOnlyList<CalibrationBatch> ForExperts(IReadOnlyList<CalibrationBatch> batches, List<Tensor> views) =>
        Run.Request.Steps.Aggregate(batches, (left, step) => step.ForExperts(left, views));

    /// <summary>Tells of a step.</summary>
    public void Report(ExpansionStage stage, string? layer, double share) => Run.Report(stage, Index, layer, share);
}
