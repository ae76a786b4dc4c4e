using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Pruning;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>
/// A part of an expansion beyond routing and pruning. It holds its options only, so that one object may serve several
/// runs; what a run needs to remember is in <see cref="ExpansionRun"/>, <see cref="BlockRun"/>, <see cref="GroupRun"/>
/// and in what <see cref="OnRouted"/> leaves there.
/// </summary>
internal interface IExpansionStep : IReportRemarks
{
    /// <summary>Name of the step's options in the settings of stored blocks.</summary>
    string SettingName { get; }

    /// <summary>
    /// The options as text. Stored blocks are of use only to an expansion with the same; read in the invariant culture.
    /// </summary>
    string Setting { get; }

    /// <summary>
    /// Stands for <see cref="Setting"/> in the settings of an expansion without this step; null: nothing does.
    /// </summary>
    string? SettingWithout => null;

    /// <summary>The options in the manifest of a report.</summary>
    string ManifestText => Setting;

    /// <summary>
    /// True if experts are made from what the dense model hands their layers, too: it then runs beside the expanded
    /// one.
    /// </summary>
    bool NeedsDenseInputs => false;

    /// <summary>True if <see cref="OnBlockExpanded"/> wants the outputs of the block in the dense model.</summary>
    bool NeedsDenseOutputs => false;

    /// <summary>True if the step works on blocks behind the last target, too.</summary>
    bool NeedsAllBlocks => false;

    /// <summary>Share of an input group's time that <see cref="OnRouted"/> takes; for progress.</summary>
    double ShareOfGroup => 0;

    /// <summary>The stage of <see cref="OnBlockExpanded"/>; null: it does nothing.</summary>
    ExpansionStage? BlockStage => null;

    /// <summary>Share of a block's time that <see cref="OnBlockExpanded"/> takes; for progress.</summary>
    double ShareOfBlock => 0;

    /// <summary>Checks that the options go together with all else that was asked for.</summary>
    /// <exception cref="InvalidOperationException">They do not; says what to leave out.</exception>
    void Validate(ExpansionRequest request)
    {
    }

    /// <summary>Checks the blocks before any work.</summary>
    /// <exception cref="SparseExpansionException">The step cannot work on them.</exception>
    void CheckBlocks(ExpansionRequest request, IReadOnlyList<ExpansionBlock> blocks)
    {
    }

    /// <summary>Checks the calibration batches before any work.</summary>
    /// <exception cref="CalibrationException">The step cannot work with them.</exception>
    void CheckBatches(ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches)
    {
    }

    /// <summary>Memory and operations beyond those of an expansion without the step.</summary>
    StepCost Cost(WorkSize size) => StepCost.None;

    /// <summary>Works on the dense model, before the first block is expanded.</summary>
    void BeforeBlocks(ExpansionRun run)
    {
    }

    /// <summary>Works on a block before its experts are made.</summary>
    void OnBlockEntered(BlockRun block)
    {
    }

    /// <summary>Leaves out windows of calibration batches that experts must not be made from.</summary>
    /// <param name="batches">The batches; stay with the caller.</param>
    /// <param name="views">Takes tensors that the result has and <paramref name="batches"/> has not.</param>
    IReadOnlyList<CalibrationBatch> ForExperts(IReadOnlyList<CalibrationBatch> batches, List<Tensor> views) => batches;

    /// <summary>Exchanges a router for one that it is derived from, whenever one was trained.</summary>
    /// <param name="group">The input group.</param>
    /// <param name="routed"> The router, and where it sends the tokens; disposed where another one is returned, and
    /// after an error.
    /// </param>
    /// <param name="tokens">The tokens: all of the group, or some of them in a trial.</param>
    RoutedTokens AdjustRouter(GroupRun group, RoutedTokens routed, ITokenSource tokens) => routed;

    /// <summary>
    /// Works on an input group whose router is trained; may exchange the router, and add to
    /// <see cref="GroupRun.Steps"/>.
    /// </summary>
    void OnRouted(GroupRun group)
    {
    }

    /// <summary>Works on a block whose mixtures are installed, unpacked.</summary>
    void OnBlockExpanded(BlockRun block)
    {
    }

    /// <summary>
    /// Puts back what <see cref="OnBlockEntered"/> and <see cref="OnBlockExpanded"/> have changed in a finished block,
    /// besides its mixtures.
    /// </summary>
    /// <exception cref="CheckpointException">The store holds something else.</exception>
    void OnBlockRestored(BlockRun block, RestoredBlock stored)
    {
    }
}
