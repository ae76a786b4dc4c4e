using CsCheck;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>Products of dense weights against sums in float64, for every instruction set: where the processor lacks one, .NET does the same with others.</summary>
public sealed unsafe class DenseMultiplicationTests
{
    private static readonly ElementType[] s_types = [ElementType.Float32, ElementType.BFloat16, ElementType.Float16];

    private static readonly Gen<(int Rows, int Columns, int Tokens, ElementType Type, InstructionSet Set)> s_cases =
        Gen.Select(
            Gen.Int[1, 70], Gen.OneOf(Gen.Int[1, 140], Gen.Int[1000, 2100]), Gen.Int[1, 20], Gen.OneOf([.. s_types.Select(Gen.Const)]),
            Gen.Enum<InstructionSet>());

    [Fact]
    public void Run_AnyShapeTypeAndInstructions_IsTheSumOfProducts() => s_cases.Sample(
        c =>
        {
            var problem = new Problem(c.Rows, c.Columns, c.Tokens, c.Type);
            float[] output = problem.Run(c.Set, threads: 2);
            for (int token = 0; token < c.Tokens; token++)
            {
                for (int row = 0; row < c.Rows; row++)
                {
                    (double expected, double magnitude) = problem.Expected(row, token);
                    Assert.InRange(output[(token * c.Rows) + row] - expected, -1e-6 * magnitude, 1e-6 * magnitude);
                }
            }
        },
        iter: 300);

    [Fact]
    public void Run_AnyThreadsAndNeighbors_GivesTheSameBits() => s_cases.Sample(
        c =>
        {
            var problem = new Problem(c.Rows, c.Columns, c.Tokens, c.Type);
            float[] together = problem.Run(c.Set, threads: 1);
            Assert.Equal(together, problem.Run(c.Set, threads: 3));
            Assert.Equal(together, problem.RunOneByOne(c.Set));
        },
        iter: 100);

    [Fact]
    public void Run_SecondTime_AllocatesNothing()
    {
        var problem = new Problem(64, 256, 20, ElementType.BFloat16);
        float[] output = problem.Run(InstructionSets.Best, threads: 1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        problem.Run(InstructionSets.Best, 1, output);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Run_WrongTypes_SaysWhich()
    {
        var single = new MatrixView(1, 1, ElementType.Float32);
        var other = new MatrixView(1, 1, ElementType.Int8);
        Assert.StartsWith(
            "Dense weights are float32, bfloat16 or float16; this one is Int8.",
            Assert.Throws<ArgumentException>("weight", () => DenseMultiplication.Run(other, 1, 1, single, 1, single)).Message);
        Assert.Throws<ArgumentException>("tokens", () => DenseMultiplication.Run(single, 1, 1, other, 1, single));
        Assert.Throws<ArgumentException>("output", () => DenseMultiplication.Run(single, 1, 1, single, 1, other));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => DenseMultiplication.Run(single, 1, 1, single, -1, single));
    }

    /// <summary>A weight at an odd address, tokens with gaps between them, and a bias.</summary>
    private sealed class Problem
    {
        private const int Gap = 3;
        private readonly int _rows, _columns, _count;
        private readonly ElementType _type;
        private readonly byte[] _weight;
        private readonly float[] _values, _tokens, _bias;

        public Problem(int rows, int columns, int count, ElementType type)
        {
            (_rows, _columns, _count, _type) = (rows, columns, count, type);
            var random = new Random((rows * 1000) + columns);
            int size = ElementTypes.SizeOf(type);
            _weight = new byte[1 + (rows * columns * size)];
            _values = new float[rows * columns];
            for (int i = 0; i < _values.Length; i++)
            {
                _values[i] = Put(_weight.AsSpan(1 + (i * size)), (float)(random.NextDouble() - 0.5));
            }

            _tokens = [.. Enumerable.Range(0, count * (columns + Gap)).Select(_ => (float)(random.NextDouble() - 0.5))];
            _bias = [.. Enumerable.Range(0, rows).Select(_ => (float)random.NextDouble())];
        }

        public float[] Run(InstructionSet set, int threads, float[]? output = null)
        {
            output ??= new float[_rows * _count];
            Run(set, threads, 0, _count, output);
            return output;
        }

        public float[] RunOneByOne(InstructionSet set)
        {
            float[] output = new float[_rows * _count];
            for (int token = 0; token < _count; token++)
            {
                Run(set, 1, token, 1, output);
            }

            return output;
        }

        public (double Sum, double Magnitude) Expected(int row, int token)
        {
            double sum = _bias[row], magnitude = 1;
            for (int column = 0; column < _columns; column++)
            {
                double product = (double)_values[(row * _columns) + column] * _tokens[(token * (_columns + Gap)) + column];
                sum += product;
                magnitude += Math.Abs(product);
            }

            return (sum, magnitude);
        }

        private void Run(InstructionSet set, int threads, int first, int count, float[] output)
        {
            fixed (byte* weight = _weight)
            fixed (float* tokens = _tokens, target = output, bias = _bias)
            {
                DenseMultiplication.Run(
                    new MatrixView((nint)(weight + 1), _columns, _type), _rows, _columns,
                    new MatrixView((nint)(tokens + (first * (_columns + Gap))), _columns + Gap, ElementType.Float32), count,
                    new MatrixView((nint)(target + (first * _rows)), _rows, ElementType.Float32), (nint)bias, threads, set);
            }
        }

        /// <summary>Stores a number; returns what is read back.</summary>
        private float Put(Span<byte> target, float value)
        {
            switch (_type)
            {
                case ElementType.Float32:
                    BitConverter.TryWriteBytes(target, value);
                    return value;
                case ElementType.Float16:
                    BitConverter.TryWriteBytes(target, (Half)value);
                    return (float)(Half)value;
                default:
                    ushort rounded = BFloat16Format.Round(value);
                    BitConverter.TryWriteBytes(target, rounded);
                    return BitConverter.UInt32BitsToSingle((uint)rounded << 16);
            }
        }
    }
}
