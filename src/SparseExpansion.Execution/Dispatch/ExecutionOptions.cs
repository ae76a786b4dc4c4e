using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>
/// Options of a multiplication; all but the dense product fix, for tests and measurements, what is otherwise chosen by
/// measurement or by the machine.
/// </summary>
/// <param name="Kernel">Null: the fastest, as measured.</param>
/// <param name="Instructions">Null: the widest that the processor has.</param>
/// <param name="Threads">Null: as many as the machine has processors.</param>
/// <param name="Panels">Null: all; else only so many of the first panels are
/// multiplied, which is enough to measure by.</param>
/// <param name="Dense">The product that <see cref="KernelKind.Dense"/> multiplies
/// with; null: that kind is not available.</param>
/// <param name="Indices">What <see cref="KernelKind.KeptIndex"/> reads, of the only expert; null: the indices of each
/// expert, which then stay.</param>
internal readonly record struct ExecutionOptions(
    KernelKind? Kernel = null, InstructionSet? Instructions = null, int? Threads = null, int? Panels = null,
    IDenseProduct? Dense = null, PackedIndices? Indices = null)
{
    /// <summary>Threads to use.</summary>
    public int Degree => Threads ?? Environment.ProcessorCount;
}
