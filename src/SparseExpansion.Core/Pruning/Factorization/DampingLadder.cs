using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Factorization;

/// <summary>
/// Factors Hessians that may be singular: the damping rises geometrically to its cap in float32, then once more from
/// the start in float64, then the Hessian is given up for Wanda. A finite number of attempts, and the result says which
/// one.
/// </summary>
internal static class DampingLadder
{
    /// <summary>Factors a batch of Hessians.</summary>
    /// <param name="hessians">H, [k, d, d], float32, no zero on the diagonal.</param>
    /// <param name="schedule">First damping, its increase and its cap.</param>
    /// <param name="cancellationToken">Observed between rungs.</param>
    /// <param name="prepare">Changes the damped Hessians, in place, before they are factored; null for no
    /// change.</param>
    public static FactoredHessians Factor(
        Tensor hessians, DampingSchedule schedule, CancellationToken cancellationToken, Action<Tensor>? prepare = null)
    {
        using var scope = NewDisposeScope();
        var rungs = new DampingRung?[hessians.shape[0]];
        Tensor? factors = null;
        var last = new DampingRung(0, schedule.First, DampingMethod.SinglePrecision);
        foreach (DampingRung rung in Rungs(schedule))
        {
            cancellationToken.ThrowIfCancellationRequested();
            long[] pending = [.. Enumerable.Range(0, rungs.Length).Where(i => rungs[i] is null).Select(i => (long)i)];
            if (pending.Length == 0)
            {
                break;
            }

            last = rung;
            (Tensor attempt, bool[] succeeded) = Attempt(hessians, pending, rung, prepare);
            factors = Collect(factors, attempt, pending);
            for (int i = 0; i < pending.Length; i++)
            {
                rungs[pending[i]] = succeeded[i] ? rung : null;
            }
        }

        ReplaceFailures(factors!, rungs);
        var fallback = new DampingRung(last.Index + 1, last.Damping, DampingMethod.WandaFallback);
        return new FactoredHessians(factors!.MoveToOuterDisposeScope(), [.. rungs.Select(rung => rung ?? fallback)]);
    }

    /// <summary>The attempts, in order.</summary>
    internal static IEnumerable<DampingRung> Rungs(DampingSchedule schedule)
    {
        int index = 0;
        foreach (DampingMethod method in new[] { DampingMethod.SinglePrecision, DampingMethod.DoublePrecision })
        {
            double damping = schedule.First;
            yield return new DampingRung(index++, damping, method);
            while (damping < schedule.Maximum)
            {
                damping = Math.Min(damping * schedule.Increase, schedule.Maximum);
                yield return new DampingRung(index++, damping, method);
            }
        }
    }

    /// <summary>Adds a fraction of its mean to the diagonal of every matrix, in place.</summary>
    public static void Damp(Tensor hessians, double damping)
    {
        using Tensor diagonal = hessians.diagonal(0, 1, 2), mean = diagonal.mean([1L], keepdim: true);
        diagonal.PlusInPlace(mean.mul_(Scalars.Of(damping)));
    }

    private static (Tensor Factors, bool[] Succeeded) Attempt(
        Tensor hessians, long[] pending, DampingRung rung, Action<Tensor>? prepare)
    {
        using var scope = NewDisposeScope();
        Tensor damped = hessians.index_select(0, tensor(pending, device: hessians.device));
        if (rung.Method == DampingMethod.DoublePrecision)
        {
            damped = damped.to(ScalarType.Float64);
        }

        Damp(damped, rung.Damping);
        prepare?.Invoke(damped);
        (Tensor factors, bool[] succeeded) = InverseFactor.Compute(damped);
        return (factors.to(ScalarType.Float32).MoveToOuterDisposeScope(), succeeded);
    }

    private static Tensor Collect(Tensor? factors, Tensor attempt, long[] pending)
    {
        if (factors is null)
        {
            return attempt; // The first rung covers all Hessians in order.
        }

        using Tensor indices = tensor(pending, device: factors.device);
        using (attempt)
        {
            factors.index_copy_(0, indices, attempt);
            return factors;
        }
    }

    /// <summary>
    /// The identity in place of what a failed factorization left, so that batched work on the others meets no NaN.
    /// </summary>
    private static void ReplaceFailures(Tensor factors, DampingRung?[] rungs)
    {
        using Tensor identity = eye(factors.shape[1], dtype: factors.dtype, device: factors.device);
        for (int i = 0; i < rungs.Length; i++)
        {
            if (rungs[i] is null)
            {
                using Tensor failed = factors.select(0, i);
                failed.copy_(identity);
            }
        }
    }
}
