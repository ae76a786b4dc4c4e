using System.Numerics.Tensors;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>A mixture of sparse experts: every token is multiplied with the weight of the expert that it is routed to.</summary>
/// <param name="router">Belongs to all layers of its input group; not disposed here.</param>
/// <param name="experts">Packed weights of one shape and type; taken over.</param>
/// <param name="bias">float32 [out_features], or [experts, out_features]; null: none. Taken over.</param>
internal sealed unsafe class MixtureLinear(TokenRouter router, PackedWeight[] experts, NativeArray? bias)
    : Linear(experts[0].Columns, experts[0].Rows)
{
    private bool HasExpertBias => bias is not null && bias.Length > OutFeatures;

    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, float* output, nint stride)
    {
        TokenRoute route = tokens.RouteOf(router);
        MatrixView shared = bias is null || HasExpertBias
            ? MatrixView.None
            : new MatrixView(bias.Address, 0, ElementType.Float32);
        var target = new MatrixView((nint)output, stride, ElementType.Float32);
        if (experts[0].Grid is not null && tokens.UsesCodes)
        {
            tokens.Codes.Run(experts, route.Offsets, route.Order, tokens.Rounded(InFeatures), target, shared);
        }
        else
        {
            GroupedMultiplication.Run(
                experts, route.Offsets, route.Order, tokens.View, target, shared,
                new ExecutionOptions(Threads: tokens.Threads));
        }

        if (HasExpertBias)
        {
            AddExpertBias(route.Experts, output, stride);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Array.ForEach(experts, expert => expert.Dispose());
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
