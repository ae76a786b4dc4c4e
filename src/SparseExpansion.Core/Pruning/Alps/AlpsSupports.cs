using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

/// <summary>The supports that ADMM found.</summary>
/// <param name="Pruned">bool [k, rows, d], true where a weight goes.</param>
/// <param name="Weights">W + U, [k, rows, d], scaled: on the support the weights that ADMM ended with.</param>
/// <param name="Iterations">Iterations made, one number for each expert.</param>
/// <param name="Settled">True for each expert whose support the last iteration hardly changed.</param>
internal sealed record AlpsSupports(Tensor Pruned, Tensor Weights, int[] Iterations, bool[] Settled);
