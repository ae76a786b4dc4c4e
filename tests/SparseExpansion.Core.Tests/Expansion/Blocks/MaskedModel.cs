using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A small transformer whose blocks get their masks in one way or another, and compute the same.</summary>
internal sealed class MaskedModel : nn.Module<Tensor, Tensor>
{
    public readonly ModuleList<nn.Module> blocks;
    private readonly nn.Module<Tensor, Tensor> head;
    private readonly Func<Tensor, Tensor> _mask;
    private readonly bool _shifts;

    /// <param name="makeBlock">Makes a block.</param>
    /// <param name="mask">Makes the mask of an input; null: the causal one.</param>
    /// <param name="shifts">True: hands on a third argument, made of the hidden state that enters the block.</param>
    public MaskedModel(Func<nn.Module> makeBlock, Func<Tensor, Tensor>? mask = null, bool shifts = false)
        : base(nameof(MaskedModel))
    {
        manual_seed(3);
        (_mask, _shifts) = (mask ?? Causal, shifts);
        blocks = nn.ModuleList([.. Enumerable.Range(0, 2).Select(_ => makeBlock())]);
        head = nn.Linear(GatedModel.Width, 3);
        RegisterComponents();
    }

    /// <summary>-10⁴ above the diagonal, [sequence, sequence].</summary>
    public static Tensor Causal(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (ones(input.shape[1], input.shape[1]).triu(1) * Scalars.Of(-1e4)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The causal mask, and another one for each row: positions whose first feature is below 0 are not looked at by
    /// others; [batch, sequence, sequence].
    /// </summary>
    public static Tensor OfContent(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor unseen = input[.., .., 0].lt(Scalars.Of(0)).to(float32).unsqueeze(1)
            * ones(input.shape[1], input.shape[1]).tril(-1);
        return Causal(input).Plus(unseen * Scalars.Of(-1e4)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = input, mask = _mask(input);
        foreach (nn.Module block in blocks)
        {
            hidden = block switch
            {
                SelfMaskedBlock simple => simple.call(hidden),
                MaskedBlock masked => masked.call(hidden, mask),
                AttendingBlock attending => attending.call(hidden, mask, _shifts ? hidden[.., .., ..1] : null!).Item1,
                _ => throw new InvalidOperationException($"{block.GetType()}"),
            };
        }

        return head.call(hidden).MoveToOuterDisposeScope();
    }
}
