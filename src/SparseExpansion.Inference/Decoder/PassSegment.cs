using SparseExpansion.Inference.Caching;

namespace SparseExpansion.Inference.Decoder;

/// <summary>The new tokens of one sequence in a pass.</summary>
/// <param name="Cache">Keys and values of the tokens before; has room for the new ones.</param>
/// <param name="First">Place of the first new token among the tokens of the pass.</param>
/// <param name="Count">Number of new tokens.</param>
/// <param name="Length">Tokens of the sequence, which scalings of positions look at: with those of later pieces, where a
/// text comes in several.</param>
internal readonly record struct PassSegment(SequenceCache Cache, int First, int Count, int Length);
