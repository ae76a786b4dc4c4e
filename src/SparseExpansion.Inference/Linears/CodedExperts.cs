using SparseExpansion.Execution.LowBit;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>Experts in the order of the kernels: strips, or dense codes of eight bits.</summary>
/// <typeparam name="TWeight">A weight that <see cref="LowBitMultiplication"/> multiplies.</typeparam>
/// <param name="weights">Weights of one shape; taken over.</param>
/// <param name="inFeatures">Their columns.</param>
/// <param name="outFeatures">Their rows.</param>
internal sealed class CodedExperts<TWeight>(TWeight[] weights, int inFeatures, int outFeatures) : ExpertSet
    where TWeight : class, IDisposable
{
    /// <inheritdoc/>
    public override int InFeatures => inFeatures;

    /// <inheritdoc/>
    public override int OutFeatures => outFeatures;

    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, TokenRoute route, MatrixView output, MatrixView bias) =>
        tokens.Codes.Run<TWeight>(weights, route.Offsets, route.Order, tokens.Rounded(InFeatures), output, bias);

    /// <inheritdoc/>
    public override void Dispose() => Array.ForEach(weights, weight => weight.Dispose());
}
