using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Inference.Routing;

/// <summary>Tokens sorted by the expert that one router gives them; its memory is used again and again.</summary>
internal sealed unsafe class TokenRoute : IDisposable
{
    private readonly NativeBuffer _scratch = new();
    private long[] _experts = [];
    private int[] _order = [];
    private int[] _offsets = [];
    private int _count;

    /// <summary>The router of <see cref="Set"/>.</summary>
    public TokenRouter? Router { get; private set; }

    /// <summary>[tokens] expert of each token.</summary>
    public ReadOnlySpan<long> Experts => _experts.AsSpan(0, _count);

    /// <summary>[tokens] token numbers by expert.</summary>
    public ReadOnlySpan<int> Order => _order.AsSpan(0, _count);

    /// <summary>[experts + 1] where the tokens of each expert start in <see cref="Order"/>.</summary>
    public ReadOnlySpan<int> Offsets => _offsets.AsSpan(0, (Router?.ExpertCount ?? 0) + 1);

    /// <summary>Routes tokens; arguments as of <see cref="TokenRouter.Choose"/>.</summary>
    public void Set(TokenRouter router, float* tokens, nint stride, int count, int threads)
    {
        if (_experts.Length < count)
        {
            _experts = new long[count];
            _order = new int[count];
        }

        if (_offsets.Length <= router.ExpertCount)
        {
            _offsets = new int[router.ExpertCount + 1];
        }

        (Router, _count) = (router, count);
        var scratch = (float*)_scratch.Reserve((nuint)count * (nuint)router.ScratchPerToken * sizeof(float));
        router.Choose(tokens, stride, _experts.AsSpan(0, count), scratch, threads);
        TokenGrouping.Sort(Experts, _order.AsSpan(0, count), _offsets.AsSpan(0, router.ExpertCount + 1));
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();
}
