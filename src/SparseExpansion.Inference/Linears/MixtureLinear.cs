using System.Numerics.Tensors;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>A mixture of sparse experts: every token is multiplied with the weight of the expert that it is routed to.</summary>
/// <param name="router">Belongs to all layers of its input group; not disposed here.</param>
/// <param name="experts">The experts; taken over.</param>
/// <param name="bias">float32 [out_features], or [experts, out_features]; null: none. Taken over.</param>
internal sealed unsafe class MixtureLinear(TokenRouter router, ExpertSet experts, NativeArray? bias)
    : Linear(experts.InFeatures, experts.OutFeatures), ICodedLinear
{
    private ExpertSet _experts = experts;

    private bool HasExpertBias => bias is not null && bias.Length > OutFeatures;

    /// <inheritdoc/>
    public bool HasMasks => true;

    /// <inheritdoc/>
    public long RearrangedBytes => _experts is PackedExperts packed ? packed.RearrangedBytes : 0;

    /// <inheritdoc/>
    public void Rearrange() => _experts = ((PackedExperts)_experts).Rearranged();

    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, float* output, nint stride)
    {
        TokenRoute route = tokens.RouteOf(router);
        MatrixView shared = bias is null || HasExpertBias
            ? MatrixView.None
            : new MatrixView(bias.Address, 0, ElementType.Float32);
        _experts.Multiply(tokens, route, new MatrixView((nint)output, stride, ElementType.Float32), shared);
        if (HasExpertBias)
        {
            AddExpertBias(route.Experts, output, stride);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _experts.Dispose();
        bias?.Dispose();
    }

    private void AddExpertBias(ReadOnlySpan<long> chosen, float* output, nint stride)
    {
        for (int token = 0; token < chosen.Length; token++)
        {
            var results = new Span<float>(output + token * stride, OutFeatures);
            TensorPrimitives.Add(
                results, bias!.Span<float>(chosen[token] * OutFeatures, OutFeatures), results);
        }
    }
}
