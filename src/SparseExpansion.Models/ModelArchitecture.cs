namespace SparseExpansion.Models;

/// <summary>The block structures that the library has code for.</summary>
public enum ModelArchitecture
{
    /// <summary>
    /// Llama and its relatives Mistral and Qwen2: RMSNorm, gated feed-forward network, sequential residuals.
    /// </summary>
    Llama,

    /// <summary>
    /// GPT-NeoX and Pythia: LayerNorm, one projection for queries, keys and values, parallel or sequential residuals.
    /// </summary>
    GptNeoX,
}
