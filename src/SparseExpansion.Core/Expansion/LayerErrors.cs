using SparseExpansion.Internal;

namespace SparseExpansion.Expansion;

/// <summary>Lets errors of pruners and routers, custom ones above all, say which layer they arose in.</summary>
internal static class LayerErrors
{
    /// <exception cref="CalibrationException">Names the layer.</exception>
    /// <exception cref="PruningException">Names part and layer; holds any other error but a cancellation.</exception>
    /// <param name="layer">Module path.</param>
    /// <param name="part">What is done there.</param>
    /// <param name="action">Does it.</param>
    /// <param name="firstExpert">Number of the expert that the action counts as the first.</param>
    public static T Named<T>(string layer, string part, Func<T> action, int firstExpert = 0)
    {
        try
        {
            return action();
        }
        catch (CalibrationException e)
        {
            throw e.Message.Contains(layer, StringComparison.Ordinal) ? e : new CalibrationException($"Layer '{layer}'{Expert(e, firstExpert)}: {e.Message}", e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new PruningException($"The {part} failed at layer '{layer}'{Expert(e, firstExpert)}: {e.FirstLine()}", e);
        }
    }

    private static string Expert(Exception error, int firstExpert) => ErrorPlace.ExpertOf(error) is { } number ? $", expert {number + firstExpert}" : "";
}
