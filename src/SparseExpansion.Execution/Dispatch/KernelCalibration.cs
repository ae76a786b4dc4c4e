using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>
/// Times the kernels on a weight and some tokens. Many tokens are timed on two small numbers of panels, from which the
/// time for all panels is extrapolated: tokens are brought into tiles once, however many panels there are. Nothing that
/// was made to measure stays with the weight.
/// </summary>
internal sealed class KernelCalibration
{
    // A round runs each kernel once, so that a disturbance hits all of them alike; the best time of each is compared.
    // The first round warms caches and does not count.
    private const int LeastRounds = 4;
    private const int MostRounds = 12;
    private const double BudgetMilliseconds = 40;
    private const double HopelessFactor = 2;

    // Spreading weights costs dense FLOPs for each token; beyond this the dense way does the same and does it better.
    private const int MostExpandTokens = 16;

    // Denser weights never keep indices, which would make them larger by a quarter and more; listing a block's columns
    // takes little time beside so many products.
    private const double MostKept = 0.4;

    private readonly PackedWeight _weight;
    private readonly MatrixView _tokens;
    private readonly MatrixView _output;
    private readonly int[] _order;
    private readonly int _threads;
    private readonly IDenseProduct? _dense;
    private readonly PackedIndices? _indices;

    private KernelCalibration(
        PackedWeight weight, MatrixView tokens, MatrixView output, int count, int threads, IDenseProduct? dense,
        PackedIndices? indices)
    {
        (_weight, _tokens, _output, _threads, _dense) = (weight, tokens, output, threads, dense);
        _indices = indices;
        _order = [.. Enumerable.Range(0, count)];
    }

    /// <summary>The kernel with the shortest time.</summary>
    public static KernelKind Fastest(PackedWeight weight, KernelClass problem, IDenseProduct? dense)
    {
        ElementType dtype = problem.BFloat16Tokens ? ElementType.BFloat16 : ElementType.Float32;
        using NativeArray tokens = NativeArray.Allocate((long)problem.Representative * weight.Columns, dtype);
        using NativeArray output = NativeArray.Allocate((long)problem.Representative * weight.Rows, dtype);
        using PackedIndices? indices = MayKeepIndices(weight) ? weight.ListIndices() : null;
        FillWithOnes(tokens);
        return new KernelCalibration(
            weight, new MatrixView(tokens.Address, weight.Columns, dtype),
            new MatrixView(output.Address, weight.Rows, dtype), problem.Representative, problem.Threads, dense, indices)
            .Compare();
    }

    /// <summary>True if weights like this one may keep indices, should that be worth it.</summary>
    public static bool MayKeepIndices(PackedWeight weight) => weight.Bits == 0 && 1 - weight.Sparsity <= MostKept;

    private static void FillWithOnes(NativeArray tokens)
    {
        const int piece = 1 << 20;
        for (long done = 0; done < tokens.Length; done += piece)
        {
            int count = (int)Math.Min(piece, tokens.Length - done);
            if (tokens.Type == ElementType.Float32)
            {
                tokens.Span<float>(done, count).Fill(1);
            }
            else
            {
                tokens.Span<ushort>(done, count).Fill(BFloat16Format.Round(1));
            }
        }
    }

    private KernelKind Compare()
    {
        KernelKind[] kinds =
        [
            .. _order.Length <= MostExpandTokens ? [KernelKind.Expand] : Array.Empty<KernelKind>(),
            KernelKind.Index,
            .. _indices is null ? Array.Empty<KernelKind>() : [KernelKind.KeptIndex],
            .. _dense is null ? Array.Empty<KernelKind>() : [KernelKind.Dense],
        ];
        PanelSample sample = PanelSample.Of(_weight, _order.Length, (long)_threads * (_dense?.PanelsAtATime(_weight) ?? 1));
        var fewTimes = new double[kinds.Length];
        var moreTimes = new double[kinds.Length];
        var totals = new double[kinds.Length];
        Array.Fill(fewTimes, double.MaxValue);
        Array.Fill(moreTimes, double.MaxValue);
        long start = TimeProvider.System.GetTimestamp();
        for (int round = 0; round < MostRounds && (round < LeastRounds || Milliseconds(start) < BudgetMilliseconds); round++)
        {
            for (int i = 0; i < kinds.Length; i++)
            {
                if (round > 1 && totals[i] > HopelessFactor * totals.Min())
                {
                    continue;
                }

                double fewTime = Time(kinds[i], sample.Few);
                double moreTime = sample.More > sample.Few ? Time(kinds[i], sample.More) : fewTime;
                fewTimes[i] = round == 0 ? fewTimes[i] : Math.Min(fewTimes[i], fewTime);
                moreTimes[i] = round == 0 ? moreTimes[i] : Math.Min(moreTimes[i], moreTime);
                totals[i] = round == 0
                    ? double.MaxValue
                    : MemoryFactor(kinds[i]) * sample.Total(fewTimes[i], moreTimes[i]);
            }
        }

        return kinds[Array.IndexOf(totals, totals.Min())];
    }

    /// <summary>
    /// Indices that are kept make a weight larger; they must save a larger part of the time.
    /// </summary>
    private double MemoryFactor(KernelKind kind) =>
        kind == KernelKind.KeptIndex ? 1 + (double)_indices!.Bytes / _weight.StoredBytes : 1;

    private double Time(KernelKind kind, int panels)
    {
        long before = TimeProvider.System.GetTimestamp();
        GroupedMultiplication.Run(
            [_weight], [0, _order.Length], _order, _tokens, _output, MatrixView.None,
            new ExecutionOptions(kind, Threads: _threads, Panels: panels, Dense: _dense, Indices: _indices));
        return Milliseconds(before);
    }

    private static double Milliseconds(long since) => TimeProvider.System.GetElapsedTime(since).TotalMilliseconds;
}
