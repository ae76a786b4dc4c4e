namespace SparseExpansion.Expansion.Allocation;

/// <summary>Method that divides the weights that may stay among the linears.</summary>
public enum AllocationMethod
{
    /// <summary>Every linear gets the same sparsity.</summary>
    Uniform,

    /// <summary>Linears with more outliers keep more.</summary>
    Owl,

    /// <summary>Linears whose output error falls most keep more.</summary>
    OutputError,

    /// <summary>
    /// Every linear gets the same sparsity, and the experts of a linear whose output error falls most keep more.
    /// </summary>
    Experts,
}
