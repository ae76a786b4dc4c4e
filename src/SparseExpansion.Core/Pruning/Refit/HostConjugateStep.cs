using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Internal.Vectors;

namespace SparseExpansion.Pruning.Refit;

/// <summary>
/// <see cref="ConjugateStep"/> for one row in host memory: one pass to begin, two to step with a product in bfloat16.
/// </summary>
internal static unsafe class HostConjugateStep
{
    /// <summary>See <see cref="ConjugateStep.Begin"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Error, float Gradient, float Square) Begin(
        float* direction, float* residual, byte* pruned, long width)
    {
        Vector512<float> errors = Vector512<float>.Zero, gradients = errors, squares = errors;
        long i = 0;
        for (; i + Vector512<float>.Count <= width; i += Vector512<float>.Count)
        {
            Vector512<float> gradient = Vector512.Load(residual + i), kept = HostVectors.Kept(gradient, pruned + i);
            errors += Vector512.Load(direction + i) * gradient;
            gradients += gradient * gradient;
            squares += kept * kept;
            kept.Store(residual + i);
            kept.Store(direction + i);
        }

        (float Error, float Gradient, float Square) sums =
            (Vector512.Sum(errors), Vector512.Sum(gradients), Vector512.Sum(squares));
        for (; i < width; i++)
        {
            float gradient = residual[i], kept = pruned[i] != 0 ? 0 : gradient;
            sums.Error += direction[i] * gradient;
            sums.Gradient += gradient * gradient;
            sums.Square += kept * kept;
            residual[i] = kept;
            direction[i] = kept;
        }

        return sums;
    }

    /// <summary>Steps and turns.</summary>
    /// <param name="direction">p.</param>
    /// <param name="product">pH.</param>
    /// <param name="pruned">1 outside the support.</param>
    /// <param name="solution">x.</param>
    /// <param name="residual">r.</param>
    /// <param name="square">‖r‖².</param>
    /// <param name="width">d.</param>
    /// <returns>By how much the error fell.</returns>
    public static float Take(
        float* direction, ushort* product, byte* pruned, float* solution, float* residual, float* square, long width)
    {
        float curvature = Curvature(direction, product, pruned, width), before = *square;
        float step = curvature > 0 ? before / curvature : 0;
        float after = Step(step, direction, product, pruned, solution, residual, width);
        Turn(before > 0 ? after / before : 0, direction, residual, width);
        *square = after;
        return step * before;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Curvature(float* direction, ushort* product, byte* pruned, long width)
    {
        Vector512<float> sums = Vector512<float>.Zero;
        long i = 0;
        for (; i + Vector512<float>.Count <= width; i += Vector512<float>.Count)
        {
            sums += Vector512.Load(direction + i) * HostVectors.Kept(HostVectors.FromBFloat16(product + i), pruned + i);
        }

        float sum = Vector512.Sum(sums);
        for (; i < width; i++)
        {
            sum += pruned[i] != 0 ? 0 : direction[i] * HostVectors.FromBFloat16(product[i]);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Step(
        float step, float* direction, ushort* product, byte* pruned, float* solution, float* residual, long width)
    {
        Vector512<float> steps = Vector512.Create(step), sums = Vector512<float>.Zero;
        long i = 0;
        for (; i + Vector512<float>.Count <= width; i += Vector512<float>.Count)
        {
            (Vector512.Load(solution + i) + (steps * Vector512.Load(direction + i))).Store(solution + i);
            Vector512<float> left = Vector512.Load(residual + i)
                - (steps * HostVectors.Kept(HostVectors.FromBFloat16(product + i), pruned + i));
            left.Store(residual + i);
            sums += left * left;
        }

        float sum = Vector512.Sum(sums);
        for (; i < width; i++)
        {
            solution[i] += step * direction[i];
            residual[i] -= pruned[i] != 0 ? 0 : step * HostVectors.FromBFloat16(product[i]);
            sum += residual[i] * residual[i];
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn(float turn, float* direction, float* residual, long width)
    {
        Vector512<float> turns = Vector512.Create(turn);
        long i = 0;
        for (; i + Vector512<float>.Count <= width; i += Vector512<float>.Count)
        {
            ((Vector512.Load(direction + i) * turns) + Vector512.Load(residual + i)).Store(direction + i);
        }

        for (; i < width; i++)
        {
            direction[i] = (direction[i] * turn) + residual[i];
        }
    }
}
