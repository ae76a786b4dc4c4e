using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>
/// The inside of a small transformer block: attention of one head under a mask, and a feed-forward part.
/// </summary>
internal sealed class AttentionCore : nn.Module
{
    private const int Width = GatedModel.Width;

    private readonly nn.Module<Tensor, Tensor> query = nn.Linear(Width, Width);
    private readonly nn.Module<Tensor, Tensor> key = nn.Linear(Width, Width);
    private readonly nn.Module<Tensor, Tensor> value = nn.Linear(Width, Width);
    private readonly nn.Module<Tensor, Tensor> norm = nn.LayerNorm(Width);
    private readonly nn.Module<Tensor, Tensor> up = nn.Linear(Width, 2 * Width);
    private readonly nn.Module<Tensor, Tensor> down = nn.Linear(2 * Width, Width);

    public AttentionCore()
        : base(nameof(AttentionCore)) => RegisterComponents();

    /// <param name="hidden">[batch, sequence, width].</param>
    /// <param name="mask">Added to the scores; broadcasts to [batch, sequence, sequence].</param>
    public (Tensor Hidden, Tensor Weights) Run(Tensor hidden, Tensor mask)
    {
        using var scope = NewDisposeScope();
        Tensor weights = query.call(hidden).matmul(key.call(hidden).transpose(-1, -2)).Plus(mask).softmax(-1);
        Tensor mixed = hidden.Plus(weights.matmul(value.call(hidden)));
        return (mixed.Plus(down.call(nn.functional.gelu(up.call(norm.call(mixed))))).MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope());
    }
}
