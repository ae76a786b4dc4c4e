namespace SparseExpansion.Execution;

/// <summary>Fixes what is otherwise chosen by measurement or by the machine; for tests and measurements.</summary>
/// <param name="Kernel">Null: the fastest, as measured.</param>
/// <param name="Instructions">Null: the widest that the processor has.</param>
/// <param name="Threads">Null: as many as torch uses.</param>
/// <param name="Panels">Null: all; else only so many of the first panels are multiplied, which is enough to measure by.</param>
internal readonly record struct ExecutionOptions(KernelKind? Kernel = null, InstructionSet? Instructions = null, int? Threads = null, int? Panels = null);
