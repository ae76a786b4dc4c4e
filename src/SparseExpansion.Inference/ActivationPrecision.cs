using System.Diagnostics.CodeAnalysis;

namespace SparseExpansion.Inference;

/// <summary>Form of the tokens that are multiplied with weights in codes.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The names of types are what this is about.")]
public enum ActivationPrecision
{
    /// <summary>
    /// Eight bits in groups of 128 features, so that products are sums of integers: by far the fastest. A feature is off
    /// by at most max |x| / 254 of its group.
    /// </summary>
    Int8,

    /// <summary>As they are; codes are turned into float32 first.</summary>
    Float32,
}
