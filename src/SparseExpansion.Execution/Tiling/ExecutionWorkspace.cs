using System.Diagnostics.CodeAnalysis;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.Tiling;

/// <summary>
/// One grouped multiplication in progress: its plan and its scratch memory. Each calling thread has its own, which
/// grows to the largest multiplication seen and is then used again without allocating.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as its thread; the buffers have finalizers.")]
internal sealed unsafe class ExecutionWorkspace
{
    [ThreadStatic]
    private static ExecutionWorkspace? _current;

    private readonly NativeBuffer _tiles = new();
    private readonly NativeBuffer _order = new();
    private readonly NativeBuffer _bias = new();
    private readonly GatherWork _gather = new();
    private readonly PanelWork _multiply = new();
    private TilePlan[] _tilePlans = new TilePlan[16];
    private ExpertPlan[] _experts = new ExpertPlan[16];
    private int _tileCount;
    private int _expertCount;
    private long _tileFloats;

    /// <summary>The workspace of the calling thread.</summary>
    public static ExecutionWorkspace Current => _current ??= new ExecutionWorkspace();

    /// <summary>Forgets the last plan; keeps the memory.</summary>
    public void Begin(ReadOnlySpan<int> order, MatrixView bias, int rows)
    {
        Clear();
        Order = (int*)_order.Reserve((nuint)Math.Max(order.Length, 1) * sizeof(int));
        order.CopyTo(new Span<int>(Order, order.Length));
        Bias = null;
        if (!bias.IsNone)
        {
            Bias = (float*)_bias.Reserve((nuint)rows * sizeof(float));
            for (int row = 0; row < rows; row++)
            {
                Bias[row] = bias.IsBFloat16 ? BFloat16Format.Load((byte*)bias.Data, row) : ((float*)bias.Data)[row];
            }
        }
    }

    /// <summary>Token numbers in the order of their experts.</summary>
    public int* Order { get; private set; }

    /// <summary>[rows] float32, or null.</summary>
    public float* Bias { get; private set; }

    /// <summary>
    /// Plans tokens first … first + count − 1 of the order for one expert with one kind of kernel.
    /// </summary>
    /// <param name="weight">The packed weight.</param>
    /// <param name="table">Kernels to choose from.</param>
    /// <param name="kind">Their kind.</param>
    /// <param name="first">First position in the order.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="maximumPanels">Panels to multiply at most.</param>
    /// <param name="indices">For <see cref="KernelKind.KeptIndex"/>; null: those of the weight.</param>
    public void Add(
        PackedWeight weight, KernelTable table, KernelKind kind, int first, int count, int maximumPanels,
        PackedIndices? indices = null)
    {
        if (_expertCount == _experts.Length)
        {
            Array.Resize(ref _experts, 2 * _experts.Length);
        }

        ref ExpertPlan expert = ref _experts[_expertCount];
        int items = _expertCount == 0
            ? 0
            : _experts[_expertCount - 1].FirstItem + _experts[_expertCount - 1].PanelCount;
        expert = new ExpertPlan
        {
            Weight = weight,
            FirstTile = _tileCount,
            FirstItem = items,
            PanelCount = Math.Min(weight.Layout.PanelCount, maximumPanels),
        };
        for (int done = 0; done < count;)
        {
            TileKernel kernel = TileCover.Next(
                kind == KernelKind.Expand ? table.Expand : table.Index, count - done, weight.Layout.BlockColumns);
            int tokens = Math.Min(kernel.Lanes, count - done);
            AddTile(ref expert, kernel, first + done, tokens);
            done += tokens;
        }

        // Indices that the weight keeps are read by either kind: listing them again would be for nothing.
        bool encoded = weight.Bits > 0;
        expert.Indices = kind switch
        {
            KernelKind.KeptIndex when !encoded => indices ?? weight.Indices(),
            KernelKind.Index => weight.KeptIndices,
            _ => null,
        };
        expert.ListColumns = kind is KernelKind.Index or KernelKind.KeptIndex && expert.Indices is null;
        expert.Wide = table.Instructions == InstructionSet.Avx512;
        _expertCount++;
    }

    /// <summary>Does what was planned.</summary>
    public void Run(MatrixView tokens, MatrixView output, int threads)
    {
        if (_expertCount == 0)
        {
            return;
        }

        float* tiles = (float*)_tiles.Reserve((nuint)_tileFloats * sizeof(float));
        _gather.Prepare(_tilePlans, _tileCount, tokens, Order, tiles);
        _gather.Run(_tileFloats, threads);

        int longest = 0, scratch = 0;
        foreach (ref readonly ExpertPlan expert in _experts.AsSpan(0, _expertCount))
        {
            longest = Math.Max(longest, expert.AccumulatorLength);
            scratch = Math.Max(scratch, ScratchBytes(in expert));
        }

        _multiply.Prepare(_experts, _expertCount, _tilePlans, output, Order, tiles, Bias);
        _multiply.Reserve(longest, scratch, threads);
        _multiply.Run(threads);
        Clear();
    }

    private static int ScratchBytes(in ExpertPlan expert) =>
        expert.Weight.Bits > 0 ? PanelDecoder.ScratchBytes(expert.Weight.Layout)
        : expert.ListColumns ? BlockColumnList.ScratchBytes(expert.Weight.Layout)
        : 0;

    private void AddTile(ref ExpertPlan expert, TileKernel kernel, int firstToken, int tokens)
    {
        if (_tileCount == _tilePlans.Length)
        {
            Array.Resize(ref _tilePlans, 2 * _tilePlans.Length);
        }

        PackedLayout layout = expert.Weight.Layout;
        _tilePlans[_tileCount++] = new TilePlan
        {
            Kernel = kernel,
            Layout = layout,
            FirstToken = firstToken,
            Tokens = tokens,
            TileOffset = _tileFloats,
            AccumulatorOffset = expert.AccumulatorLength,
        };
        _tileFloats += (long)layout.PaddedColumns * kernel.Lanes;
        expert.AccumulatorLength = checked(expert.AccumulatorLength + layout.PanelRows * kernel.Width);
        expert.TileCount++;
    }

    /// <summary>
    /// Forgets the plan, after a failure too: weights must not be kept alive by a thread that once used them.
    /// </summary>
    public void Clear()
    {
        // With the one that could not be added to the end.
        Array.Clear(_experts, 0, Math.Min(_expertCount + 1, _experts.Length));
        _multiply.Forget();
        _expertCount = 0;
        _tileCount = 0;
        _tileFloats = 0;
    }
}
