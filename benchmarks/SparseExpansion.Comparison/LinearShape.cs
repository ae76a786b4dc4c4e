namespace SparseExpansion.Comparison;

/// <summary>One linear of a block.</summary>
/// <param name="Module">Its path in the block, as in Hugging Face checkpoints.</param>
/// <param name="Gguf">Its name in the block of a GGUF file.</param>
/// <param name="InputGroup">Linears with the same number read the same tensor, so they share a router.</param>
/// <param name="Rows">Output features.</param>
/// <param name="Columns">Input features.</param>
/// <param name="Gain">Factor of its random weights.</param>
internal sealed record LinearShape(string Module, string Gguf, int InputGroup, int Rows, int Columns, float Gain = 1);
