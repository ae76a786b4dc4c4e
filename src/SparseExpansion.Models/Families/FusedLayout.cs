namespace SparseExpansion.Models.Families;

/// <summary>Order of the rows of one projection that gives queries, keys and values.</summary>
internal enum FusedLayout
{
    /// <summary>All queries, then all keys, then all values (Phi-3, GPT-2).</summary>
    ByKind,

    /// <summary>Query, key and value of the first head, then of the next (GPT-NeoX).</summary>
    ByHead,
}
