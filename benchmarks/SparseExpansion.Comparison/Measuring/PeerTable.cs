using SparseExpansion.Comparison.Folders;
using SparseExpansion.Comparison.Gguf;
using SparseExpansion.Execution;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>The compared models; those of one peer follow each other.</summary>
internal static class PeerTable
{
    private const int Experts = 16;

    public static IReadOnlyList<PeerCase> Cases { get; } =
    [
        new("dense fp32", new WeightStorage(ElementType.Float32), GgufType.F32),
        new("fp32 50 %", new WeightStorage(ElementType.Float32, Experts, 0.5), GgufType.F32),
        new("bf16 50 %", new WeightStorage(ElementType.BFloat16, Experts, 0.5), GgufType.BF16),
        Codes(8, 0.5, GgufType.Q8),
        new("dense int4", new WeightStorage(ElementType.Float32, DenseBits: 4), GgufType.Q4),
        Codes(4, 0.5, GgufType.Q4),
        Codes(4, 0.6, GgufType.Q4),
        Codes(4, 0.75, GgufType.Q4),
        Codes(3, 0.5, GgufType.Q4),
        Codes(2, 0.5, GgufType.Q4),
    ];

    /// <summary>The wanted tests of every case that has some.</summary>
    /// <param name="wanted">True for the names of rows that are measured.</param>
    public static IReadOnlyList<(PeerCase Case, IReadOnlyList<PeerTest> Tests)> Select(Func<string, bool> wanted) =>
        [.. Cases
            .Select(item => (Case: item, Tests: (IReadOnlyList<PeerTest>)[.. PeerTest.All.Where(test => wanted(item.RowName(test)))]))
            .Where(item => item.Tests.Count > 0)];

    /// <summary>Embedding and head have the bits of the peer's, whose file has all matrices in one type.</summary>
    private static PeerCase Codes(int bits, double sparsity, GgufType peer) => new(
        $"int{bits} {sparsity * 100:0} %",
        new WeightStorage(ElementType.Float32, Experts, sparsity, bits, peer == GgufType.Q8 ? 8 : 4), peer);
}
