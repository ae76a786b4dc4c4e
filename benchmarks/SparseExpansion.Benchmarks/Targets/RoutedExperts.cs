using SparseExpansion.Execution;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>A mixture layer reduced to what costs time: the folded router's product, its argmax, grouping, the experts.</summary>
public sealed class RoutedExperts : IDisposable
{
    private readonly PackedWeight[] _experts;
    private readonly Tensor _router;

    public RoutedExperts(PackedWeight expert, int count)
    {
        _experts = [expert, .. Enumerable.Range(1, count - 1).Select(_ => Workload.Copy(expert))];
        _router = randn(count, expert.Columns);
    }

    public Tensor UnpackFirst() => _experts[0].Unpack();

    public Tensor Forward(Tensor tokens)
    {
        int count = (int)tokens.shape[0];
        using Tensor scores = nn.functional.linear(tokens, _router);
        using Tensor chosen = scores.argmax(1);
        Span<int> order = count <= 1024 ? stackalloc int[count] : new int[count];
        Span<int> offsets = stackalloc int[_experts.Length + 1];
        TokenGrouping.Sort(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(chosen.bytes), order, offsets);
        Tensor output = empty([count, _experts[0].Rows]);
        GroupedMultiplication.Run(_experts, offsets, order, MatrixView.Of(tokens), MatrixView.Of(output), MatrixView.None);
        return output;
    }

    public void Dispose()
    {
        foreach (PackedWeight expert in _experts)
        {
            expert.Dispose();
        }

        _router.Dispose();
    }
}
