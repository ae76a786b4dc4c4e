using System.Runtime.InteropServices;
using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.FeedForward;

/// <summary>
/// A mixture of experts of the model itself: each token goes through a few of them, whose outputs are added, weighted.
/// The linears of an expert see the tokens that are routed to it, and only those.
/// </summary>
internal sealed class RoutedFeedForward : Module<Tensor, Tensor>
{
    private readonly ExpertRouter _router;
    private readonly ModuleList<Module<Tensor, Tensor>> _experts;

    public RoutedFeedForward(ModelConfig config, ModuleNames names, WeightPlacement placement)
        : base(nameof(RoutedFeedForward))
    {
        ExpertRouting routing = config.Experts!;
        _router = this.Add(names.Router, new ExpertRouter(config.HiddenSize, routing, placement));
        _experts = this.Add(names.Experts, new ModuleList<Module<Tensor, Tensor>>(
            [.. Enumerable.Range(0, routing.Count).Select(_ => new DenseFeedForward(config, routing.IntermediateSize, names.ExpertParts, placement))]));
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = input.reshape(-1, input.size(-1));
        (Tensor weights, Tensor experts) = _router.Choose(tokens);
        Tensor result = zeros_like(tokens);
        foreach (IGrouping<long, int> group in Places(experts))
        {
            Tensor added = AddExpert(result, tokens, weights, group);
            result.Dispose();
            result = added;
        }

        return result.view(input.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Does nothing: children have the names of the checkpoint, not those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }

    private Tensor AddExpert(Tensor sum, Tensor tokens, Tensor weights, IGrouping<long, int> group)
    {
        using var scope = NewDisposeScope();
        Tensor places = tensor(group.Select(place => (long)place).ToArray(), dtype: int64, device: tokens.device);
        Tensor rows = places.div(Scalars.Of(weights.size(1)), RoundingMode.floor);
        Tensor output = _experts[(int)group.Key].call(tokens.index_select(0, rows));
        Tensor weighted = output * weights.flatten().index_select(0, places).unsqueeze(1);
        return sum.index_add(0, rows, weighted, Scalars.Of(1)).MoveToOuterDisposeScope();
    }

    /// <summary>For each expert that has tokens, in order: where it stands in the flattened choices.</summary>
    private static IEnumerable<IGrouping<long, int>> Places(Tensor experts)
    {
        using Tensor onHost = experts.cpu().contiguous();
        long[] numbers = MemoryMarshal.Cast<byte, long>(onHost.bytes).ToArray();
        return Enumerable.Range(0, numbers.Length).GroupBy(place => numbers[place]).OrderBy(group => group.Key);
    }
}
