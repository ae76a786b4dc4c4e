using CsCheck;

namespace SparseExpansion.Inference.Vectors;

public sealed class RotationTests
{
    private static readonly Gen<(int Heads, int Pairs, int Others)> s_shapes =
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 40], Gen.Int[0, 9]);

    [Fact]
    public void Halves_AnyShape_RotatesFeaturesHalfApart() => s_shapes.Sample(
        c => Check(c.Heads, c.Pairs, c.Others, (i, pairs) => (i, i + pairs), Rotation.Halves));

    [Fact]
    public void Neighbors_AnyShape_RotatesFeaturesSideBySide() => s_shapes.Sample(
        c => Check(c.Heads, c.Pairs, c.Others, (i, _) => (2 * i, (2 * i) + 1), Rotation.Neighbors));

    private delegate void Rotate(Span<float> heads, int features, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines);

    private static void Check(int heads, int pairs, int others, Func<int, int, (int First, int Second)> pairOf, Rotate rotate)
    {
        int features = (2 * pairs) + others;
        float[] numbers = [.. Enumerable.Range(0, heads * features).Select(i => MathF.Sin(i + 1))];
        double[] expected = [.. numbers.Select(x => (double)x)];
        float[] cosines = [.. Enumerable.Range(0, pairs).Select(i => MathF.Cos(i))];
        float[] sines = [.. Enumerable.Range(0, pairs).Select(i => MathF.Sin(i))];
        for (int head = 0; head < heads; head++)
        {
            for (int i = 0; i < pairs; i++)
            {
                (int first, int second) = pairOf(i, pairs);
                double x = numbers[(head * features) + first], y = numbers[(head * features) + second];
                expected[(head * features) + first] = (x * cosines[i]) - (y * sines[i]);
                expected[(head * features) + second] = (y * cosines[i]) + (x * sines[i]);
            }
        }

        rotate(numbers, features, cosines, sines);
        for (int i = 0; i < numbers.Length; i++)
        {
            Assert.InRange(numbers[i] - expected[i], -1e-6, 1e-6);
        }
    }
}
