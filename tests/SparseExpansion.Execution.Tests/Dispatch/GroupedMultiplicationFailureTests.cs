using System.Runtime.CompilerServices;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>What a multiplication leaves behind that does not come to its end.</summary>
public sealed class GroupedMultiplicationFailureTests
{
    private const int Size = 512;

    [Fact]
    public void Run_AnExpertFailsAfterAnotherWasPlanned_KeepsNoWeightAlive()
    {
        WeakReference planned = RunWithAFailingExpert();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(planned.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference RunWithAFailingExpert()
    {
        // Of different sparsity, so that each has a choice of its own.
        PackedWeight first = Pack(2);
        using PackedWeight second = Pack(8);
        var dense = new DenseForOne(first);
        using NativeArray tokens = NativeArray.Allocate(8 * Size, ElementType.Float32);
        using NativeArray output = NativeArray.Allocate(8 * Size, ElementType.Float32);
        tokens.Span<float>(0, 8 * Size).Clear();
        var rows = new MatrixView(tokens.Address, Size, ElementType.Float32);
        var target = new MatrixView(output.Address, Size, ElementType.Float32);
        var options = new ExecutionOptions(Threads: 1, Dense: dense);
        GroupedMultiplication.Run(
            [first, second], [0, 4, 8], [0, 1, 2, 3, 4, 5, 6, 7], rows, target, MatrixView.None, options);
        Assert.True(dense.WasChosen);

        dense.Fails = true;
        Assert.Throws<InvalidDataException>(() => GroupedMultiplication.Run(
            [first, second], [0, 4, 8], [0, 1, 2, 3, 4, 5, 6, 7], rows, target, MatrixView.None, options));
        return new WeakReference(first);
    }

    private static PackedWeight Pack(int every)
    {
        float[] weight = [.. Enumerable.Range(0, Size * Size).Select(i => i % every == 0 ? 1f : 0)];
        return PackedWeight.Pack(weight, Size, Size);
    }

    /// <summary>Slow for one weight and instant for others, for which it is chosen.</summary>
    private sealed unsafe class DenseForOne(PackedWeight slow) : IDenseProduct
    {
        private readonly WeakReference<PackedWeight> _slow = new(slow);

        public bool Fails { get; set; }

        public bool WasChosen { get; private set; }

        public int PanelsAtATime(PackedWeight weight) => 1;

        public void Multiply(
            PackedWeight weight, MatrixView tokens, int* order, int count, MatrixView output, float* bias,
            ExecutionOptions options)
        {
            if (_slow.TryGetTarget(out PackedWeight? former) && former == weight)
            {
                Thread.Sleep(50);
                return;
            }

            WasChosen |= options.Panels is null;
            if (Fails)
            {
                throw new InvalidDataException();
            }
        }
    }
}
