using SparseExpansion.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Finds the vectors of a block that are no part of a linear or of a mixture.</summary>
internal static class BlockNorms
{
    public static IReadOnlyList<Parameter> Find(nn.Module block)
    {
        nn.Module[] all = [block, .. block.modules()];
        HashSet<nn.Module> mixtures = [.. all.OfType<SparseMixtureLayer>().SelectMany(mixture => mixture.modules().Append(mixture))];
        return
        [
            .. all.Where(module => module is not Linear && !mixtures.Contains(module)).Distinct()
                .SelectMany(module => module.named_parameters(recurse: false).Select(entry => entry.parameter))
                .Where(parameter => parameter.Dimensions == 1 && parameter.is_floating_point()).Distinct(),
        ];
    }
}
