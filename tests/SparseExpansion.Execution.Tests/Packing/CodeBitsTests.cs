using CsCheck;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Avx512;
using SparseExpansion.Execution.Kernels.Portable;

namespace SparseExpansion.Execution.Packing;

public sealed unsafe class CodeBitsTests
{
    private static Gen<(int Bits, int[] Codes, int Skip)> Cases { get; } =
        from bits in Gen.OneOf(Gen.Const(2), Gen.Const(3), Gen.Const(4), Gen.Const(8))
        from codes in Gen.Int[0, (1 << bits) - 1].Array[1, 400]
        from skip in Gen.Int[0, codes.Length - 1]
        select (bits, codes, skip);

    [Fact]
    public void SetGet_AnyCodes_AreTheBitsOneAfterTheOther() => Cases.Sample(
        problem =>
        {
            byte[] bytes = Encode(problem.Bits, problem.Codes);
            UInt128 first = 0;
            for (int i = 0; i < problem.Codes.Length; i++)
            {
                first |= i * problem.Bits < 120 ? (UInt128)problem.Codes[i] << (i * problem.Bits) : 0;
                fixed (byte* pointer = bytes)
                {
                    Assert.Equal(problem.Codes[i], CodeBits.Get(pointer, i, problem.Bits));
                }
            }

            for (int i = 0; i < Math.Min(15, bytes.Length); i++)
            {
                Assert.Equal((byte)(first >> (8 * i)), bytes[i]);
            }
        },
        iter: 200,
        threads: 1);

    [Fact]
    public void Decode_FromAnyCodeOn_IsTheSameForEveryInstructionSet() => Cases.Sample(
        problem =>
        {
            int count = problem.Codes.Length - problem.Skip;
            byte[] bytes = Encode(problem.Bits, problem.Codes);
            float[] expected = [.. problem.Codes[problem.Skip..].Select(code => 0.375f * (code - 3))];
            float[] values = new float[count + 64];
            fixed (byte* codes = bytes)
            {
                fixed (float* pointer = values)
                {
                    PortableDecoder.Decode(codes, problem.Skip, problem.Bits, count, 0.375f, 3, pointer);
                    Assert.Equal(expected, values[..count]);
                    if (InstructionSets.IsSupported(InstructionSet.Avx512))
                    {
                        Array.Clear(values);
                        WideDecoder.Decode(codes, problem.Skip, problem.Bits, count, 0.375f, 3, pointer);
                        Assert.Equal(expected, values[..count]);
                    }
                }
            }
        },
        iter: 200,
        threads: 1);

    private static byte[] Encode(int bits, int[] codes)
    {
        byte[] bytes = new byte[CodeBits.BytesOf(codes.Length, bits) + PackedArrays.CodePadding];
        fixed (byte* pointer = bytes)
        {
            for (int i = 0; i < codes.Length; i++)
            {
                CodeBits.Set(pointer, i, bits, codes[i]);
            }
        }

        return bytes;
    }
}
