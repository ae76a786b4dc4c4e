using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Panels;

/// <summary>Weights of a panel of neurons, float32.</summary>
/// <param name="Weights">[neurons, in_features] of every expert.</param>
/// <param name="Bias">[neurons, 1], or null.</param>
internal sealed record PanelWeights(Tensor[] Weights, Tensor? Bias)
{
    /// <summary>Multiplies each token by the weights of its expert, without bias.</summary>
    /// <param name="chunk">[tokens, in_features], float32.</param>
    /// <param name="experts">The expert of every token.</param>
    /// <param name="outputs">[neurons, tokens], float32, written.</param>
    public void Multiply(Tensor chunk, ReadOnlySpan<int> experts, Tensor outputs)
    {
        var positions = new List<long>[Weights.Length];
        for (int t = 0; t < experts.Length; t++)
        {
            (positions[experts[t]] ??= []).Add(t);
        }

        for (int e = 0; e < positions.Length; e++)
        {
            if (positions[e] is { } members)
            {
                using var scope = NewDisposeScope();
                Tensor index = tensor(members.ToArray(), device: chunk.device);
                outputs.index_copy_(1, index, Weights[e].matmul(chunk.index_select(0, index).t()));
            }
        }
    }
}
