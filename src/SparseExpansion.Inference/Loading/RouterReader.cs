using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Loading;

/// <summary>Reads routers of the library's kinds.</summary>
internal static class RouterReader
{
    /// <summary>Reads one.</summary>
    /// <param name="entry">Its description.</param>
    /// <param name="number">Its number in the index.</param>
    /// <param name="files">The files.</param>
    /// <exception cref="CheckpointException">The kind is unknown, or the tensors do not fit it.</exception>
    public static TokenRouter Read(ExpandedRouterEntry entry, int number, TensorFiles files)
    {
        NativeArray Take(string name, params ReadOnlySpan<long> shape)
        {
            string stored = ExpandedTensorNames.Router(number, name);
            using NativeArray array = files.Take(stored, shape);
            return FloatNumbers.IsFloating(array.Type)
                ? FloatNumbers.Copy(array)
                : throw new CheckpointException($"The tensor '{stored}' is {array.Type}, not a floating type.");
        }

        switch (entry.Kind)
        {
            case SingleTokenRouter.Kind when entry.Experts == 1:
                return new SingleTokenRouter(entry.InputFeatures);
            case LinearTokenRouter.Kind:
                return new LinearTokenRouter(
                    Take("weight", entry.Experts, entry.InputFeatures), Take("bias", entry.Experts), entry.InputFeatures);
            case RandomTokenRouter.Kind:
                using (NativeArray direction = Take("projection", entry.InputFeatures))
                {
                    return new RandomTokenRouter(
                        direction.Span<float>(0, entry.InputFeatures).ToArray(), entry.Experts);
                }

            default:
                throw new CheckpointException(
                    $"The kind '{entry.Kind}' with {entry.Experts} experts is not one that can be decoded; known are {LinearTokenRouter.Kind}, {RandomTokenRouter.Kind} and {SingleTokenRouter.Kind}. Run the folder with the library's torch models.");
        }
    }
}
