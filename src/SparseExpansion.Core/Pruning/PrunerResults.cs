using SparseExpansion.Internal;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Checks that what a pruner returned belongs to the weight that it was given.</summary>
internal static class PrunerResults
{
    /// <summary>Checks one result for each expert; disposes them all if one is bad.</summary>
    public static IReadOnlyList<PruningResult> Check(
        ISparsifier sparsifier, Tensor weight, int experts, IReadOnlyList<PruningResult>? results)
    {
        if (results?.Count != experts)
        {
            Discard(results);
            throw new PruningException(
                $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} returned "
                + $"{(results is null ? "null" : $"{results.Count} results")} for {experts} experts.");
        }

        int checkedResults = 0;
        try
        {
            for (; checkedResults < experts; checkedResults++)
            {
                Check(sparsifier, weight, results[checkedResults]);
            }

            return results;
        }
        catch (Exception e) when (ErrorPlace.Note(e, checkedResults))
        {
            throw; // Not reached: the filter only says which expert it was.
        }
        catch
        {
            Discard(results);
            throw;
        }
    }

    /// <summary>Disposes what there is.</summary>
    public static void Discard(IReadOnlyList<PruningResult>? results) =>
        results?.Where(result => result is not null).DisposeAll();

    /// <summary>Checks one result, which stays with the caller.</summary>
    public static PruningResult Check(ISparsifier sparsifier, Tensor weight, PruningResult? result)
    {
        if (result is null)
        {
            throw new PruningException(
                $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} returned null in place of a result.");
        }

        Tensor pruned = result.Weight;
        return !pruned.IsInvalid && pruned.dtype == weight.dtype && pruned.shape.SequenceEqual(weight.shape)
            && Placement.Same(pruned.device, weight.device)
            ? result
            : throw new PruningException(
                $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} returned "
                + (pruned.IsInvalid ? "a result that is disposed" : $"{TensorText.Of(pruned)} on {pruned.device}")
                + $" for a weight {TensorText.Of(weight)} on {weight.device}.");
    }
}
