using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Errors;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Lets errors of pruners and routers, custom ones above all, say which layer they arose in.</summary>
internal static class LayerErrors
{
    /// <exception cref="CalibrationException">Names the layer.</exception>
    /// <exception cref="PruningException">Names part and layer; holds any other error but a cancellation.</exception>
    /// <param name="layer">Module path.</param>
    /// <param name="part">Name of the work done there.</param>
    /// <param name="action">Does it.</param>
    /// <param name="firstExpert">Number of the expert that the action counts as the first.</param>
    public static T Named<T>(string layer, string part, Func<T> action, int firstExpert = 0)
    {
        try
        {
            return action();
        }
        catch (CalibrationException e) when (e.Layer is null)
        {
            throw new CalibrationException($"Layer '{layer}'{Expert(e, firstExpert)}: {PlainMessage.Clause(e)}", e) { Layer = layer };
        }
        catch (Exception e) when (e is not OperationCanceledException and not CalibrationException)
        {
            throw new PruningException(
                $"The {part} failed at layer '{layer}'{Expert(e, firstExpert)}: {PlainMessage.Clause(e)}", e);
        }
    }

    /// <inheritdoc cref="Named{T}"/>
    public static void Named(string layer, string part, Action action, int firstExpert = 0) => Named(
        layer,
        part,
        () =>
        {
            action();
            return true;
        },
        firstExpert);

    private static string Expert(Exception error, int firstExpert) =>
        ErrorPlace.ExpertOf(error) is { } number ? $", expert {number + firstExpert}" : "";
}
