namespace SparseExpansion.Inference.Linears;

/// <summary>A linear layer whose weights may be in codes, and may be given the order of the kernels before the first product.</summary>
internal interface ICodedLinear
{
    /// <summary>True if its weights are experts under bitmasks.</summary>
    bool HasMasks { get; }

    /// <summary>Bytes that the weights take in the order of the kernels; 0 if they are not in codes, or have it.</summary>
    long RearrangedBytes { get; }

    /// <summary>Gives the weights the order of the kernels. Only if <see cref="RearrangedBytes"/> are not 0.</summary>
    void Rearrange();
}
