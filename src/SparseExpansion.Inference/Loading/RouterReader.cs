using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Loading;

/// <summary>Reads routers of the library's kinds.</summary>
internal static class RouterReader
{
    private const string Weight = "weight", Bias = "bias", Projection = "projection";

    /// <summary>The kinds, for messages.</summary>
    public static string Known => $"{LinearTokenRouter.Kind}, {RandomTokenRouter.Kind} and {SingleTokenRouter.Kind}";

    /// <summary>The tensors of a router; null if its kind is unknown.</summary>
    /// <param name="entry">Its description.</param>
    /// <param name="number">Its number in the index.</param>
    public static IReadOnlyList<TensorNeed>? Needs(ExpandedRouterEntry entry, int number)
    {
        TensorNeed Need(string name, params IReadOnlyList<long> shape) =>
            TensorNeed.Floating(ExpandedTensorNames.Router(number, name), shape);
        return entry.Kind switch
        {
            SingleTokenRouter.Kind when entry.Experts == 1 => [],
            LinearTokenRouter.Kind => [Need(Weight, entry.Experts, entry.InputFeatures), Need(Bias, entry.Experts)],
            RandomTokenRouter.Kind => [Need(Projection, entry.InputFeatures)],
            _ => null,
        };
    }

    /// <summary>Reads a router whose tensors are known to fit.</summary>
    /// <param name="entry">Its description.</param>
    /// <param name="number">Its number in the index.</param>
    /// <param name="files">The files.</param>
    public static TokenRouter Read(ExpandedRouterEntry entry, int number, TensorFiles files)
    {
        NativeArray Take(string name)
        {
            using NativeArray array = files.Take(ExpandedTensorNames.Router(number, name));
            return FloatNumbers.Copy(array);
        }

        switch (entry.Kind)
        {
            case SingleTokenRouter.Kind:
                return new SingleTokenRouter(entry.InputFeatures);
            case LinearTokenRouter.Kind:
                return new LinearTokenRouter(Take(Weight), Take(Bias), entry.InputFeatures);
            default:
                using (NativeArray direction = Take(Projection))
                {
                    return new RandomTokenRouter(
                        direction.Span<float>(0, entry.InputFeatures).ToArray(), entry.Experts);
                }
        }
    }
}
