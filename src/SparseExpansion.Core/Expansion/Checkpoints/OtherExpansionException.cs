namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>A store holds blocks of an expansion with another model, other data or other options.</summary>
public sealed class OtherExpansionException : SparseExpansionException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Names every difference and says what to do.</param>
    /// <param name="differences">The differences, at least one.</param>
    public OtherExpansionException(string message, IReadOnlyList<SettingDifference> differences) : base(message) =>
        Differences = differences;

    /// <summary>The differences.</summary>
    public IReadOnlyList<SettingDifference> Differences { get; }
}
