namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>Rows of a dense weight, the tokens to multiply them with, and where the results belong.</summary>
internal unsafe struct DenseBlock
{
    /// <summary>The first value of the first row.</summary>
    public byte* Weight;

    /// <summary>Bytes from one row to the next.</summary>
    public nint WeightStride;

    /// <summary>Number of rows.</summary>
    public int Rows;

    /// <summary>Values in a row, and in a token.</summary>
    public int Columns;

    /// <summary>The first token.</summary>
    public float* Input;

    /// <summary>Numbers from one token to the next.</summary>
    public nint InputStride;

    /// <summary>Number of tokens.</summary>
    public int Tokens;

    /// <summary>The result of the first token and row; those of a token lie side by side.</summary>
    public float* Output;

    /// <summary>Numbers from the results of one token to those of the next.</summary>
    public nint OutputStride;

    /// <summary>[rows], or null.</summary>
    public float* Bias;
}
