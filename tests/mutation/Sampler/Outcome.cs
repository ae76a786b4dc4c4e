namespace SparseExpansion.MutationSampler;

/// <summary>Fate of a mutant.</summary>
internal enum Outcome
{
    /// <summary>A test failed, or the program crashed.</summary>
    Killed,

    /// <summary>The tests did not end in time.</summary>
    Timeout,

    /// <summary>All tests passed.</summary>
    Survived,

    /// <summary>It does not compile; does not count.</summary>
    Invalid,
}
