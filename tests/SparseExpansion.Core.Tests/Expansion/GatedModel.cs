using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>A small residual model of gated blocks, the shape of a transformer's feed-forward part.</summary>
internal sealed class GatedModel : nn.Module<Tensor, Tensor>
{
    public const int Width = 16;
    public const int Hidden = 24;

    public readonly ModuleList<GatedBlock> blocks;
    private readonly nn.Module<Tensor, Tensor> head;

    public GatedModel(int blockCount = 2, long seed = 1, bool normalized = false)
        : base(nameof(GatedModel))
    {
        manual_seed(seed);
        blocks = nn.ModuleList([.. Enumerable.Range(0, blockCount).Select(_ => new GatedBlock(normalized))]);
        head = nn.Linear(Width, 3);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = blocks.Aggregate(input, (state, block) => block.call(state));
        return head.call(hidden).MoveToOuterDisposeScope();
    }

    /// <summary>Inputs from a few clusters, so that routers have something to find.</summary>
    public static Tensor[] Batches(int count = 4, int sequence = 32, long seed = 5)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        Tensor centers = randn(4, Width, generator: generator) * Scalars.Of(3);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            Tensor cluster = randint(0, 4, [2 * sequence], generator: generator);
            Tensor noise = randn(2 * sequence, Width, generator: generator);
            return centers.index_select(0, cluster).Plus(noise).reshape(2, sequence, Width).DetachFromDisposeScope();
        })];
    }
}
