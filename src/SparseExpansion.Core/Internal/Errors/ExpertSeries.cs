namespace SparseExpansion.Internal.Errors;

/// <summary>Things that are made for one expert after the other.</summary>
internal static class ExpertSeries
{
    /// <summary>
    /// Makes one thing for each of some experts; an error knows which one it arose at, and leaves nothing behind.
    /// </summary>
    /// <param name="experts">Number of experts.</param>
    /// <param name="make">Makes one.</param>
    /// <returns>The things in order; the caller disposes them.</returns>
    public static IReadOnlyList<T> Run<T>(int experts, Func<int, T> make)
        where T : IDisposable
    {
        var made = new List<T>(experts);
        try
        {
            while (made.Count < experts)
            {
                made.Add(make(made.Count));
            }

            return made;
        }
        catch (Exception e) when (ErrorPlace.Note(e, made.Count))
        {
            throw; // Not reached: the filter only says which expert it was.
        }
        catch
        {
            made.ForEach(thing => thing.Dispose());
            throw;
        }
    }
}
