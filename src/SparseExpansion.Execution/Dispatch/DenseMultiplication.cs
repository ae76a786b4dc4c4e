using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>
/// Multiplies tokens with a dense weight as it lies in a checkpoint. The result of a token depends on nothing but the
/// weight, the token and the instruction set: neither on the number of threads nor on the other tokens.
/// </summary>
internal static class DenseMultiplication
{
    /// <summary>output[token, row] = weight[row] · tokens[token] + bias[row].</summary>
    /// <param name="weight">[rows, columns] float32, bfloat16 or float16; need not be aligned.</param>
    /// <param name="rows">Rows of the weight.</param>
    /// <param name="columns">Columns of the weight.</param>
    /// <param name="tokens">[count, columns] float32.</param>
    /// <param name="count">Number of tokens.</param>
    /// <param name="output">[count, rows] float32; must not overlap the tokens.</param>
    /// <param name="bias">[rows] float32, or 0.</param>
    /// <param name="threads">Null: as many as the machine has processors.</param>
    /// <param name="instructions">Null: the widest that the processor has.</param>
    /// <exception cref="ArgumentException">A matrix has a type that is not multiplied here.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    public static void Run(
        MatrixView weight, int rows, int columns, MatrixView tokens, int count, MatrixView output, nint bias = 0,
        int? threads = null, InstructionSet? instructions = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        RequireSingle(tokens, nameof(tokens));
        RequireSingle(output, nameof(output));
        if (weight.DType is not (ElementType.Float32 or ElementType.BFloat16 or ElementType.Float16))
        {
            throw new ArgumentException(
                $"Dense weights are float32, bfloat16 or float16; this one is {weight.DType}.", nameof(weight));
        }

        if (rows == 0 || count == 0)
        {
            return;
        }

        DenseWork.Current.Run(
            weight, rows, columns, tokens, count, output, bias, threads ?? Environment.ProcessorCount,
            instructions ?? InstructionSets.Best);
    }

    private static void RequireSingle(MatrixView matrix, string name)
    {
        if (matrix.DType != ElementType.Float32)
        {
            throw new ArgumentException($"Tokens and results are float32; these are {matrix.DType}.", name);
        }
    }
}
