namespace SparseExpansion.Expansion.Memory;

/// <summary>No cut of an expansion fits its memory budget.</summary>
public sealed class MemoryBudgetException : SparseExpansionException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Says how much is lacking and what would help.</param>
    /// <param name="plan">The smallest plan.</param>
    public MemoryBudgetException(string message, ExpansionMemoryPlan plan) : base(message) => Plan = plan;

    /// <summary>The smallest plan: budget, least bytes, and what would help.</summary>
    public ExpansionMemoryPlan Plan { get; }
}
