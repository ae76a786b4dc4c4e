using SparseExpansion.Execution.LowBit.Tokens;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>Multiplies strips.</summary>
internal unsafe interface IStripProduct
{
    /// <summary>The products of a strip with tokens.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="strip">Number of the strip.</param>
    /// <param name="tokens">Rounded tokens.</param>
    /// <param name="order">[count] numbers of the tokens.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="results">[count, 16].</param>
    static abstract void Multiply(
        StripWeight weight, int strip, RoundedTokens tokens, int* order, int count, float* results);
}
