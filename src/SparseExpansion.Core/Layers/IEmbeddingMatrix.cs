using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>An embedding whose matrix may be the output projection too.</summary>
internal interface IEmbeddingMatrix
{
    /// <summary>[vocabulary, features].</summary>
    Parameter Weight { get; }

    /// <summary>Called with every input of the projection by the same matrix; null: there is none.</summary>
    nn.Module<Tensor, Tensor>? Projection { get; }
}
