using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Times the kernels on a weight and some tokens.</summary>
internal static class KernelCalibration
{
    // A round runs each kernel once, so that a disturbance hits all of them alike; the best time of each is compared. The first
    // round warms caches and derives indices and does not count.
    private const int Rounds = 6;
    private const double BudgetMilliseconds = 50;
    private const double HopelessFactor = 2;

    // Many tokens are measured on a part of the panels: 2^29 products take some milliseconds.
    private const long Products = 1L << 29;

    // Spreading weights costs dense FLOPs for each token; beyond this the dense way does the same and does it better.
    private const int MostExpandTokens = 16;

    /// <summary>The kernel with the shortest time.</summary>
    public static KernelKind Fastest(PackedWeight weight, KernelClass problem)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        int count = problem.Representative;
        ScalarType dtype = problem.BFloat16Tokens ? ScalarType.BFloat16 : ScalarType.Float32;
        MatrixView tokens = MatrixView.Of(ones([count, weight.Columns], dtype: dtype));
        MatrixView output = MatrixView.Of(empty([count, weight.Rows], dtype: dtype));
        int[] order = [.. Enumerable.Range(0, count)];
        long panelProducts = (long)weight.Layout.PanelRows * weight.Columns * count;
        int panels = (int)Math.Clamp(Products / panelProducts, Math.Min(2L * get_num_threads(), weight.Layout.PanelCount), weight.Layout.PanelCount);

        KernelKind[] kinds = count <= MostExpandTokens ? [KernelKind.Expand, KernelKind.Index, KernelKind.Dense] : [KernelKind.Index, KernelKind.Dense];
        var best = new double[kinds.Length];
        Array.Fill(best, double.MaxValue);
        long start = TimeProvider.System.GetTimestamp();
        for (int round = 0; round < Rounds && (round < 2 || Milliseconds(start) < BudgetMilliseconds); round++)
        {
            for (int i = 0; i < kinds.Length; i++)
            {
                if (round > 1 && best[i] > HopelessFactor * best.Min())
                {
                    continue;
                }

                long before = TimeProvider.System.GetTimestamp();
                GroupedMultiplication.Run([weight], [0, count], order, tokens, output, MatrixView.None, new ExecutionOptions(kinds[i], Panels: panels));
                best[i] = round == 0 ? best[i] : Math.Min(best[i], Milliseconds(before));
            }
        }

        return kinds[Array.IndexOf(best, best.Min())];
    }

    private static double Milliseconds(long since) => TimeProvider.System.GetElapsedTime(since).TotalMilliseconds;
}
