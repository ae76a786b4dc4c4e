namespace SparseExpansion.Comparison.Measuring;

/// <summary>Number of rounds that a cell is measured.</summary>
/// <param name="Least">Rounds however long they take.</param>
/// <param name="Most">Rounds however short they are.</param>
/// <param name="Time">After which no further round begins, once there are the least.</param>
internal sealed record RoundLimit(int Least, int Most, TimeSpan Time)
{
    /// <summary>True if there is another round.</summary>
    /// <param name="done">Rounds so far.</param>
    /// <param name="elapsed">The time that they took.</param>
    public bool Allows(int done, TimeSpan elapsed) => done < Least || (done < Most && elapsed < Time);
}
