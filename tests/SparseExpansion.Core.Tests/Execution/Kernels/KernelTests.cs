using CsCheck;
using SparseExpansion.Execution.Dispatch;
using static TorchSharp.torch;

namespace SparseExpansion.Execution.Kernels;

public sealed class KernelTests
{
    public static TheoryData<string, string, bool> Paths()
    {
        var data = new TheoryData<string, string, bool>();
        foreach (InstructionSet set in Enum.GetValues<InstructionSet>())
        {
            foreach (KernelKind kind in Enum.GetValues<KernelKind>())
            {
                data.Add(set.ToString(), kind.ToString(), false);
                data.Add(set.ToString(), kind.ToString(), true);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Multiply_EveryKernel_EqualsDoublePrecision(string instructions, string kernel, bool bfloat16Tokens)
    {
        var set = Enum.Parse<InstructionSet>(instructions);
        Assert.SkipUnless(InstructionSets.IsSupported(set), $"This processor has no {set}.");
        var options = new ExecutionOptions(Enum.Parse<KernelKind>(kernel), set);
        ScalarType tokenType = bfloat16Tokens ? ScalarType.BFloat16 : ScalarType.Float32;
        ExecutionCase.Generator.Sample(c => Check(c, tokenType, options), iter: 30, threads: 1);
    }

    [Fact]
    public void Multiply_EveryTokenCount_EqualsDoublePrecision()
    {
        foreach (InstructionSet set in Enum.GetValues<InstructionSet>().Where(InstructionSets.IsSupported))
        {
            for (int tokens = 1; tokens <= 70; tokens++)
            {
                var problem = new ExecutionCase(9, 130, tokens, 0.6, tokens % 2 == 0 ? ScalarType.Float32 : ScalarType.BFloat16, true, 1, tokens);
                Check(problem, ScalarType.Float32, new ExecutionOptions(KernelKind.Index, set));
            }
        }
    }

    private static void Check(ExecutionCase problem, ScalarType tokenType, ExecutionOptions options)
    {
        using var scope = NewDisposeScope();
        Tensor weight = problem.Weight();
        Tensor tokens = problem.StridedTokens(tokenType);
        Tensor? bias = problem.Bias();
        using PackedWeight packed = PackedWeight.Pack(weight);
        Tensor output = PackedProduct.Multiply(packed, tokens, bias, options);
        Assert.Equal(tokenType, output.dtype);
        ExecutionCase.AssertNear(ExecutionCase.Reference(tokens, weight, bias), output);
    }
}
