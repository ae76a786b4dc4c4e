using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Tokens;

/// <summary>Rounds groups of features to eight bits.</summary>
internal static unsafe class TokenRounding
{
    /// <summary>Rounds 128 features, and sums the codes of each half. A feature that is not finite makes the scale not
    /// finite, and with it every output.</summary>
    /// <param name="values">128 features.</param>
    /// <param name="codes">Receives 128 codes.</param>
    /// <param name="scales">Receives the scale twice.</param>
    /// <param name="sums">Receives scale · Σ code of each half.</param>
    public static void RoundGroup(float* values, sbyte* codes, float* scales, float* sums)
    {
        float maximum = Maximum(values);
        float scale = maximum / 127, inverse = maximum > 0 ? 127 / maximum : 0;
        for (int half = 0; half < 2; half++)
        {
            scales[half] = scale;
            sums[half] = scale * RoundUnit(values + 64 * half, codes + 64 * half, inverse);
        }
    }

    private static float Maximum(float* values)
    {
        Vector256<float> most = Vector256<float>.Zero;
        for (int i = 0; i < 128; i += 8)
        {
            most = Vector256.Max(most, Vector256.Abs(Vector256.Load(values + i))); // NaN wins
        }

        float maximum = 0;
        for (int i = 0; i < 8; i++)
        {
            maximum = MathF.Max(maximum, most[i]);
        }

        return maximum;
    }

    private static int RoundUnit(float* values, sbyte* codes, float inverse)
    {
        Vector256<float> factor = Vector256.Create(inverse);
        Vector256<int> sum = Vector256<int>.Zero;
        for (int i = 0; i < 64; i += 32)
        {
            Vector256<int> a = Step(values + i, factor), b = Step(values + i + 8, factor),
                c = Step(values + i + 16, factor), d = Step(values + i + 24, factor);
            sum += a + b + (c + d);
            Vector256.Narrow(Vector256.Narrow(a, b), Vector256.Narrow(c, d)).Store(codes + i);
        }

        return Vector256.Sum(sum);
    }

    private static Vector256<int> Step(float* values, Vector256<float> factor) =>
        Vector256.ConvertToInt32(Vector256.Round(Vector256.Load(values) * factor));
}
