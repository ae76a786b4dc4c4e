namespace SparseExpansion.Internal.Errors;

/// <summary>Lets an exception carry the number of the expert that it arose at, whatever its type.</summary>
internal static class ErrorPlace
{
    private const string Key = "SparseExpansion.Expert";

    /// <summary>Notes the expert and lets the exception pass; for use as an exception filter.</summary>
    public static bool Note(Exception error, int expert)
    {
        error.Data[Key] = expert;
        return false;
    }

    /// <summary>
    /// Turns a position among some experts into the number of the expert, and lets the exception pass; for use as an
    /// exception filter.
    /// </summary>
    public static bool Translate(Exception error, IReadOnlyList<int> experts)
    {
        if (ExpertOf(error) is { } position && position < experts.Count)
        {
            Note(error, experts[position]);
        }

        return false;
    }

    /// <summary>The expert that was noted; null where none was.</summary>
    public static int? ExpertOf(Exception error) => error.Data[Key] as int?;
}
