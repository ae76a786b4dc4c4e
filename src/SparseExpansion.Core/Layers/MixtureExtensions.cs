using SparseExpansion.Layers;
using TorchSharp;

namespace SparseExpansion;

/// <summary>The way to the mixtures of a model, expanded in this program or loaded.</summary>
public static class MixtureExtensions
{
    /// <summary>
    /// Lists the mixtures of a model, or of a part of it:
    /// <c>model.Mixtures()["encoder.inner"]</c>, <c>model.Mixtures().Unpack()</c>.
    /// </summary>
    /// <param name="model">Any module; one without mixtures gives an empty collection.</param>
    /// <returns>
    /// The mixtures by the path of the linear that each replaces, seen from <paramref name="model"/>, in the order of
    /// the modules; one that stands in several places is listed once. They belong to the model, and the list does not
    /// follow later changes of it.
    /// </returns>
    public static MixtureCollection Mixtures(this torch.nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return MixtureCollection.Of(model);
    }
}
