using SparseExpansion.Execution.Tiling;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>The weights of a mixture's experts, in one form.</summary>
internal abstract class ExpertSet : IDisposable
{
    /// <summary>Width of a token.</summary>
    public abstract int InFeatures { get; }

    /// <summary>Width of a result.</summary>
    public abstract int OutFeatures { get; }

    /// <summary>Multiplies every token with the weight of its expert.</summary>
    /// <param name="tokens">[count, in_features].</param>
    /// <param name="route">The experts of the tokens.</param>
    /// <param name="output">[count, out_features] float32.</param>
    /// <param name="bias">[out_features] float32, or <see cref="MatrixView.None"/>.</param>
    public abstract void Multiply(TokenBlock tokens, TokenRoute route, MatrixView output, MatrixView bias);

    /// <inheritdoc/>
    public abstract void Dispose();
}
