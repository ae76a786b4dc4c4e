using System.Diagnostics;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// A product of packed weights as a step of autograd: kernels outside of libtorch compute it, and gradients flow
/// through it to tokens and bias. The weights have none.
/// </summary>
internal sealed class DifferentiableProduct : autograd.SingleTensorFunction<DifferentiableProduct>
{
    private const string Key = "product";

    // libtorch copies what a step back returned without anyone referring to it
    // meanwhile: it is kept until the next step of this thread.
    [ThreadStatic]
    private static List<Tensor?>? t_returned;

    /// <inheritdoc/>
    public override string Name => "packed product";

    /// <summary>True if a gradient is asked of tokens or bias.</summary>
    public static bool IsAsked(Tensor tokens, Tensor? bias) =>
        is_grad_enabled() && (tokens.requires_grad || bias is { requires_grad: true });

    /// <summary>Computes a product.</summary>
    /// <param name="tokens">[…, in_features].</param>
    /// <param name="bias">[out_features], or null.</param>
    /// <param name="multiply">The product, with the bias added, […, out_features].</param>
    /// <param name="tokensGradient">From the gradient of the product to that of the tokens, by operations that autograd
    /// knows.</param>
    /// <returns>The product: a part of the graph where a gradient is asked of tokens or bias.</returns>
    public static Tensor Compute(
        Tensor tokens, Tensor? bias, Func<Tensor> multiply, Func<Tensor, Tensor> tokensGradient)
    {
        if (IsAsked(tokens, bias))
        {
            return apply(
                tokens, bias!,
                new Product(
                    multiply, tokens.requires_grad ? tokensGradient : null,
                    bias is { requires_grad: true } ? bias.dtype : null));
        }

        using var noGrad = no_grad();
        return multiply();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var product = (Product)vars[^1];
        ctx.save_data(Key, product);
        ctx.set_materialize_grads(false);
        return product.Multiply();
    }

    /// <inheritdoc/>
    /// <remarks>
    /// An exception must not leave this method, because no exception passes through libtorch into the caller's frames:
    /// the process would end. Gradients of a wrong shape, which libtorch refuses, make an error of it; the original
    /// goes to the trace listeners.
    /// </remarks>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var product = (Product)ctx.get_data(Key);
        List<Tensor?> gradients;
        try
        {
            gradients = product.Gradients(grad_output);
        }
        catch (Exception e)
        {
            Trace.TraceError($"The backward pass through packed experts failed: {e}");
            gradients = product.Refused();
        }

        t_returned?.ForEach(gradient => gradient?.Dispose());
        t_returned = gradients;
        return gradients!;
    }

    private sealed record Product(Func<Tensor> Multiply, Func<Tensor, Tensor>? TokensGradient, ScalarType? BiasType)
    {
        /// <summary>
        /// In place of each gradient that is asked for one without dimensions, to which neither tokens nor a bias can
        /// be expanded.
        /// </summary>
        public List<Tensor?> Refused() => [
            TokensGradient is null ? null : zeros(Array.Empty<long>()).DetachFromDisposeScope(),
            BiasType is null ? null : zeros(Array.Empty<long>()).DetachFromDisposeScope(),
            null];

        /// <summary>Gradients of tokens, bias and this object, null where none is asked for.</summary>
        public List<Tensor?> Gradients(Tensor output)
        {
            if (output.IsInvalid)
            {
                return [null, null, null];
            }

            using var scope = NewDisposeScope();
            return [
                TokensGradient?.Invoke(output).DetachFromDisposeScope(),
                BiasType is { } type
                    ? output.reshape(-1, output.shape[^1]).sum([0L], type: ScalarType.Float32).to(type)
                        .DetachFromDisposeScope()
                    : null,
                null];
        }
    }
}
