using System.Diagnostics.CodeAnalysis;

namespace SparseExpansion.Inference;

/// <summary>Stored form of the keys and values of past tokens.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The names of types are what this is about.")]
public enum CacheFormat
{
    /// <summary>IEEE single precision: 4 bytes a number, exact.</summary>
    Float32,

    /// <summary>The upper half of a single: 2 bytes a number, relative error below 0.4%.</summary>
    BFloat16,

    /// <summary>
    /// Bytes with one scale for every token and head: about 1 byte a number, error below 0.4% of the head's largest.
    /// </summary>
    Int8,
}
