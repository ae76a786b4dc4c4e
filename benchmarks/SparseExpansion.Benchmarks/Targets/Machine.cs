using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Kernels;
using TorchSharp;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>Description of the machine that the numbers were measured on.</summary>
public static class Machine
{
    public static string Describe() =>
        $"{RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {InstructionSets.Best}, {torch.get_num_threads()} torch threads, "
        + $"OMP_WAIT_POLICY {Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") ?? "not set"}, "
        + $"GOMP_SPINCOUNT {Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") ?? "not set"}, "
        + $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, libtorch {torch.__version__}";
}
