using SparseExpansion.Expansion;
using TorchSharp;

namespace SparseExpansion;

/// <summary>The entry of the fluent API.</summary>
public static class ExpansionBuilderExtensions
{
    /// <summary>Begins the expansion of a model: its linears become mixtures of sparse experts, in place.</summary>
    /// <typeparam name="TModel">Any TorchSharp module; one that maps a tensor to a tensor needs no <see cref="ExpansionBuilder{TModel}.ForwardWith"/>.</typeparam>
    public static ExpansionBuilder<TModel> Expand<TModel>(this TModel model)
        where TModel : torch.nn.Module => new(model);
}
