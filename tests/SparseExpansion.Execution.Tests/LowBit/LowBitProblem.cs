using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.LowBit;

/// <summary>A random weight in codes, with and without masks, random tokens, and the products in plain loops.</summary>
internal sealed unsafe class LowBitProblem : IDisposable
{
    private readonly float[] _weight;
    private readonly float[] _tokens;

    public LowBitProblem(int rows, int columns, int bits, int? group, double sparsity, int tokens, int seed)
    {
        (Rows, Columns, Count) = (rows, columns, tokens);
        var random = new Random(seed);
        _weight = [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.4))];
        Dense = QuantizedWeight.Quantize(_weight, rows, columns, bits, group);
        _tokens = [.. Enumerable.Range(0, tokens * columns).Select(_ => (float)(random.NextDouble() - 0.5) * (random.Next(4) == 0 ? 10 : 1))];
        Rounded = new RoundedTokens();
        fixed (float* x = _tokens)
        {
            Rounded.Round(new MatrixView((nint)x, columns, ElementType.Float32), tokens, columns);
        }

        float[] pruned = new float[rows * columns];
        Dense.Dequantize(0, pruned);
        DenseValues = [.. pruned];
        for (int i = 0; i < pruned.Length; i++)
        {
            pruned[i] = random.NextDouble() < sparsity ? 0 : pruned[i];
        }

        PackedValues = pruned;
        fixed (float* from = pruned)
        {
            // Files may have panels of any height up to 256.
            int panelRows = new[] { 128, 100, 8, 256, 1 }[seed % 5];
            Packed = PackedWeightBuilder.PackCodes(from, Copy(Dense.Grid), NativeArray.Allocate, panelRows);
        }
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Count { get; }

    public QuantizedWeight Dense { get; }

    public float[] DenseValues { get; }

    public PackedWeight Packed { get; }

    public float[] PackedValues { get; }

    public RoundedTokens Rounded { get; }

    public int[] Order => [.. Enumerable.Range(0, Count)];

    /// <summary>The products of the tokens as they were rounded, and the sums of their magnitudes.</summary>
    public (double[] Products, double[] Magnitudes) Reference(float[] weight)
    {
        double[] products = new double[Count * Rows], magnitudes = new double[Count * Rows];
        for (int token = 0; token < Count; token++)
        {
            for (int row = 0; row < Rows; row++)
            {
                for (int column = 0; column < Columns; column++)
                {
                    double x = (double)Rounded.Codes(token)[column] * Rounded.Scales(token)[column / 64];
                    products[token * Rows + row] += weight[row * Columns + column] * x;
                    magnitudes[token * Rows + row] += Math.Abs(weight[row * Columns + column] * x);
                }
            }
        }

        return (products, magnitudes);
    }

    /// <summary>The products of the tokens as they were before.</summary>
    public double[] Exact(float[] weight)
    {
        double[] products = new double[Count * Rows];
        for (int i = 0; i < products.Length; i++)
        {
            for (int column = 0; column < Columns; column++)
            {
                products[i] += (double)weight[i % Rows * Columns + column] * _tokens[i / Rows * Columns + column];
            }
        }

        return products;
    }

    public void Dispose()
    {
        Dense.Dispose();
        Packed.Dispose();
        Rounded.Dispose();
    }

    private static PackedGrid Copy(PackedGrid grid) =>
        new(grid.Bits, grid.GroupSize, grid.Rows, grid.Columns, grid.Scales.Copy(), grid.Zeros.Copy());
}
