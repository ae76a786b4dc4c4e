using SparseExpansion.Execution;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>Experts in dense codes of eight bits.</summary>
/// <param name="weights">Weights of one shape; taken over.</param>
internal sealed class DenseExperts(QuantizedWeight[] weights) : ExpertSet
{
    /// <inheritdoc/>
    public override int InFeatures => weights[0].Columns;

    /// <inheritdoc/>
    public override int OutFeatures => weights[0].Rows;

    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, TokenRoute route, MatrixView output, MatrixView bias) =>
        tokens.Codes.Run<QuantizedWeight>(weights, route.Offsets, route.Order, tokens.Rounded(InFeatures), output, bias);

    /// <inheritdoc/>
    public override void Dispose() => Array.ForEach(weights, weight => weight.Dispose());
}
