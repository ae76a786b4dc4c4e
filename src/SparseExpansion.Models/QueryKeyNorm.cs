namespace SparseExpansion.Models;

/// <summary>Norms of queries and keys, before they are rotated.</summary>
public enum QueryKeyNorm
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>Each head by itself, all with the same weight [head features] (Qwen 3, Gemma 3).</summary>
    PerHead,

    /// <summary>Each head by itself, with a weight [head features] of its own (StableLM 2 12B).</summary>
    EachHead,

    /// <summary>All heads together, with a weight [heads · head features] (OLMo 2).</summary>
    AllHeads,
}
