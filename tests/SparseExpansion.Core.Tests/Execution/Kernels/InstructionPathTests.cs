using System.Diagnostics;
using CsCheck;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Execution.Kernels;

/// <summary>
/// Runs the paths of a processor without AVX-512, without AVX2 or without any vector instructions: the runtime reads
/// its switches when it starts, so this assembly is started again with the switch off.
/// </summary>
public sealed class InstructionPathTests
{
    /// <summary>Set for the child: the instruction set that it must choose.</summary>
    private const string Expected = "SPARSE_EXPANSION_TEST_INSTRUCTIONS";

    [Theory]
    [InlineData("DOTNET_EnableAVX512", InstructionSet.Avx2)]
    [InlineData("DOTNET_EnableAVX2", InstructionSet.Portable)]
    [InlineData("DOTNET_EnableHWIntrinsic", InstructionSet.Portable)]
    public async Task Kernels_InstructionsSwitchedOff_TakeTheNextPathAndStayExact(string variable, object expected)
    {
        Assert.SkipUnless(InstructionSets.IsSupported((InstructionSet)expected), $"This processor has no {expected}.");
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [variable] = "0", [Expected] = expected.ToString() },
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(InstructionPathTests).Assembly.Location);
        }

        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(InstructionPathTests).FullName}.{nameof(Child_StartedWithASwitch_MultipliesOnTheExpectedPath)}");
        using Process child = Process.Start(start)!;
        Task<string> errors = child.StandardError.ReadToEndAsync();
        string output = await child.StandardOutput.ReadToEndAsync() + await errors;
        await child.WaitForExitAsync();

        Assert.True(child.ExitCode == 0, output);
        Assert.Matches(@"Total: 1, Errors: 0, Failed: 0, Skipped: 0", output);
    }

    [Fact]
    public void Child_StartedWithASwitch_MultipliesOnTheExpectedPath()
    {
        string? expected = Environment.GetEnvironmentVariable(Expected);
        Assert.SkipWhen(expected is null, "For the child process of the other test.");
        Assert.Equal(expected, InstructionSets.Best.ToString());
        ExecutionCase.Generator.Sample(
            problem =>
            {
                using var scope = NewDisposeScope();
                Tensor weight = problem.Weight(), tokens = problem.StridedTokens(ScalarType.Float32);
                Tensor? bias = problem.Bias();
                using PackedWeight packed = PackedWeight.Pack(weight);
                ExecutionCase.AssertNear(ExecutionCase.Reference(tokens, weight, bias), packed.Multiply(tokens, bias));
                Assert.True(weight.eq(packed.Unpack()).all().item<bool>());
            },
            iter: 25, threads: 1);
    }
}
