using SparseExpansion.Expansion;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Reports;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>Fine-tuning in an expansion and in its report.</summary>
public static class FineTuningExtensions
{
    /// <summary>
    /// Fits the kept weights of every block, when it is expanded, to the outputs of the dense block; masks and routers
    /// stay, and pruned weights stay exactly zero. Off without this call, as in the paper. The block after it is
    /// calibrated on what it then produces.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="options">Steps, learning rate, loss; null for the defaults.</param>
    /// <returns>The same expansion.</returns>
    /// <remarks>
    /// The expanded block gets what the expanded blocks before it produce; <see cref="FineTuningOptions.Target"/> says
    /// what the dense one gets. With <see cref="ExpansionBuilder{TModel}.Blocks"/>, all targets must lie in blocks. Not
    /// for pruners that round weights, nor with <see cref="ExpansionBuilder{TModel}.WithMemory"/>. Takes, for a block
    /// at a time, ten times the experts' memory on the device, and the block's inputs and outputs in host memory. Norms
    /// that are trained are put back by <see cref="ExpansionResult.Revert"/>.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ExpansionBuilder<TModel> FineTune<TModel>(
        this ExpansionBuilder<TModel> builder, FineTuningOptions? options = null)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new FineTuningOptions();
        options.Validate();
        return builder.With(new FineTuningStep(options));
    }

    extension(ExpansionReport report)
    {
        /// <summary>
        /// The fine-tuning of each block; empty where it was not asked for. Other numbers of the report are from before
        /// it.
        /// </summary>
        public IReadOnlyList<BlockFineTuning> FineTuning => FineTuningReport.Of(report);
    }
}
