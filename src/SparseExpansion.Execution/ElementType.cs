using System.Diagnostics.CodeAnalysis;

namespace SparseExpansion.Execution;

/// <summary>
/// Types of the elements of arrays and tensors. The numbers are those of torch's <c>ScalarType</c>, so that a cast
/// converts between the two.
/// </summary>
[SuppressMessage("Naming", "CA1720", Justification = "The names of types are what this is about.")]
public enum ElementType
{
    /// <summary>Unsigned integers of 8 bits.</summary>
    Byte = 0,

    /// <summary>Signed integers of 8 bits.</summary>
    Int8 = 1,

    /// <summary>Integers of 16 bits.</summary>
    Int16 = 2,

    /// <summary>Integers of 32 bits.</summary>
    Int32 = 3,

    /// <summary>Integers of 64 bits.</summary>
    Int64 = 4,

    /// <summary>IEEE half precision.</summary>
    Float16 = 5,

    /// <summary>IEEE single precision.</summary>
    Float32 = 6,

    /// <summary>IEEE double precision.</summary>
    Float64 = 7,

    /// <summary>A byte that is 0 or 1.</summary>
    Bool = 11,

    /// <summary>The upper half of a single.</summary>
    BFloat16 = 15,
}
