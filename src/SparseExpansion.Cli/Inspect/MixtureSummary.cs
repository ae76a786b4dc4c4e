namespace SparseExpansion.Cli.Inspect;

/// <summary>A linear that is a mixture of experts.</summary>
/// <param name="Name">Module path.</param>
/// <param name="InFeatures">Width of the input.</param>
/// <param name="OutFeatures">Width of the output.</param>
/// <param name="Experts">Number of experts.</param>
/// <param name="Sparsity">Fraction of the experts' weights that are exactly zero.</param>
/// <param name="BytesOnDisk">Bytes of all experts in the file.</param>
/// <param name="Bytes">Bytes of all experts in memory.</param>
/// <param name="BytesPerToken">Average bytes that one token reads: those of one expert.</param>
/// <param name="DenseBytes">Bytes in memory of the dense weight that the mixture replaces, all of which a token would
/// read.</param>
/// <param name="Bits">Bits of a stored weight; for quantized experts, of a code.</param>
/// <param name="Router">Kind of the router.</param>
/// <param name="Group">Number of the group of linears that read the same input and share the router.</param>
internal sealed record MixtureSummary(
    string Name,
    long InFeatures,
    long OutFeatures,
    int Experts,
    double Sparsity,
    long BytesOnDisk,
    long Bytes,
    long BytesPerToken,
    long DenseBytes,
    int Bits,
    string Router,
    int Group);
