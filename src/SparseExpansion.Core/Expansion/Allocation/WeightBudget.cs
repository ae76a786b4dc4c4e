namespace SparseExpansion.Expansion.Allocation;

/// <summary>Divides a budget of weights: pure arithmetic.</summary>
internal static class WeightBudget
{
    /// <summary>Steps between two measured sparsities in which the error is interpolated.</summary>
    private const int Steps = 32;

    /// <summary>
    /// Sparsities by outlier shares: s − λ (o_l − ō) / max |o − ō| with the mean ō weighted by the sizes, so that the
    /// sum stays.
    /// </summary>
    /// <param name="outliers">Share of outliers of each linear.</param>
    /// <param name="sizes">Weights of each linear.</param>
    /// <param name="sparsity">s.</param>
    /// <param name="maxDeviation">λ; less where s − λ or s + λ would leave [0, 1).</param>
    public static double[] ByOutliers(
        IReadOnlyList<double> outliers, IReadOnlyList<long> sizes, double sparsity, double maxDeviation)
    {
        double mean = outliers.Zip(sizes, (share, size) => share * size).Sum() / sizes.Sum();
        // What rounding leaves of equal shares must not be blown up.
        double largest = outliers.Max(share => Math.Abs(share - mean));
        double reach = Reach(sparsity, maxDeviation);
        return [.. outliers.Select(share => largest > 1e-9 ? sparsity - (reach * (share - mean) / largest) : sparsity)];
    }

    /// <summary>
    /// Sparsities of least total error: from the highest sparsity on, weights are given back where the error falls most
    /// for one weight, along the lower convex hull of every curve, until the budget is spent.
    /// </summary>
    /// <param name="sparsities">Measured sparsities, ascending, the same for all linears.</param>
    /// <param name="errors">Error of each linear at each of them.</param>
    /// <param name="sizes">Weights of each linear.</param>
    /// <param name="sparsity">Share of all weights that goes, within the measured ones.</param>
    public static double[] ByErrors(
        IReadOnlyList<double> sparsities, IReadOnlyList<double[]> errors, IReadOnlyList<long> sizes, double sparsity)
    {
        double[] result = [.. sizes.Select(_ => sparsities[^1])];
        double left = (sparsities[^1] - sparsity) * sizes.Sum();
        var pieces = errors.SelectMany((curve, l) => Hull(Interpolate(sparsities, curve))
            .Select(piece => (Linear: l, piece.Width, Slope: piece.Fall / piece.Width / sizes[l])));
        foreach ((int linear, double width, _) in pieces.OrderByDescending(piece => piece.Slope))
        {
            double taken = Math.Min(width, left / sizes[linear]);
            result[linear] -= taken;
            left -= taken * sizes[linear];
        }

        return result;
    }

    /// <summary>
    /// Shares under which every linear keeps a weight, s_l ≤ 1 − 1 / n_l: what a linear cannot lose the others lose
    /// instead, the same share of each as far as they can, so that Σ n · s stays; or all can, where that is too much
    /// for all of them.
    /// </summary>
    /// <param name="sparsities">s_l, whose mean weighted by the sizes is s but for rounding.</param>
    /// <param name="sizes">n_l.</param>
    /// <param name="sparsity">s.</param>
    /// <returns>The very shares where they leave a weight of each.</returns>
    public static double[] LeaveOne(IReadOnlyList<double> sparsities, IReadOnlyList<long> sizes, double sparsity)
    {
        double[] shares = [.. sparsities];
        bool[] full = new bool[shares.Length];
        while (true)
        {
            int[] over = [.. Enumerable.Range(0, shares.Length).Where(l => !full[l] && shares[l] * sizes[l] > sizes[l] - 1)];
            if (over.Length == 0)
            {
                return shares;
            }

            Array.ForEach(over, l => (full[l], shares[l]) = (true, 1 - (1.0 / sizes[l])));
            int[] free = [.. Enumerable.Range(0, shares.Length).Where(l => !full[l])];
            double missing = (sizes.Sum() * sparsity) - shares.Zip(sizes, (share, size) => share * size).Sum();
            double rise = free.Length == 0 ? 0 : Math.Max(0, missing) / free.Sum(l => (double)sizes[l]);
            Array.ForEach(free, l => shares[l] += rise);
        }
    }

    /// <summary>
    /// Whole numbers of weights that go: floor(Σ n · s) in all, each within one of n_l · s_l for shares that leave
    /// every linear a weight, see <see cref="LeaveOne"/>. Where s itself would not, all but one weight of every linear
    /// go.
    /// </summary>
    /// <param name="sparsities"> s_l, whose mean weighted by the sizes is s but for rounding; <see cref="LeaveOne"/> is
    /// applied.
    /// </param>
    /// <param name="sizes">n_l.</param>
    /// <param name="sparsity">s.</param>
    public static long[] Round(IReadOnlyList<double> sparsities, IReadOnlyList<long> sizes, double sparsity)
    {
        double[] exact = [.. LeaveOne(sparsities, sizes, sparsity).Zip(sizes, (share, size) => Math.Clamp(share, 0, 1) * size)];
        long[] counts = [.. exact.Select((value, l) => Math.Min((long)Math.Floor(value), sizes[l] - 1))];
        long missing = Math.Min((long)Math.Floor(sizes.Sum() * sparsity), sizes.Sum() - sizes.Count) - counts.Sum();
        int[] order = [.. Enumerable.Range(0, counts.Length).OrderByDescending(l => exact[l] - counts[l])];
        for (int i = 0; missing != 0; i = (i + 1) % order.Length)
        {
            int linear = missing > 0 ? order[i] : order[^(i + 1)];
            long step = Math.Sign(missing);
            if (counts[linear] + step >= 0 && counts[linear] + step < sizes[linear])
            {
                counts[linear] += step;
                missing -= step;
            }
        }

        return counts;
    }

    /// <summary>
    /// Whole numbers of weights that stay in each expert of a linear of n weights: Σ t_e · kept_e is at most that of n
    /// − floor(n · s) in every expert, by less than what another weight of any expert that may keep one would cost.
    /// </summary>
    /// <param name="sparsities">s_e, whose mean weighted by the tokens is about s.</param>
    /// <param name="tokens">t_e, tokens of each expert.</param>
    /// <param name="size">n.</param>
    /// <param name="sparsity">s.</param>
    public static long[] RoundExperts(
        IReadOnlyList<double> sparsities, IReadOnlyList<long> tokens, long size, double sparsity)
    {
        long uniform = Math.Max(1, size - (long)Math.Floor(size * sparsity));
        double[] exact = [.. sparsities.Select(share => Math.Clamp(1 - share, 0, 1) * size)];
        long[] kept = [.. exact.Select((value, e) => tokens[e] == 0 ? uniform : Math.Max(1, (long)Math.Floor(value)))];
        Int128 left = (Int128)uniform * tokens.Aggregate(Int128.Zero, (sum, count) => sum + count);
        left -= kept.Zip(tokens).Aggregate(Int128.Zero, (sum, expert) => sum + ((Int128)expert.First * expert.Second));
        int[] seen = [.. Enumerable.Range(0, kept.Length).Where(e => tokens[e] > 0).OrderByDescending(e => exact[e] - kept[e])];
        // Rounding down stays in the budget, but for rounding errors of the shares; the least of one weight may not.
        for (int i = 0; left < 0; i = (i + 1) % seen.Length)
        {
            int expert = seen[^(i + 1)];
            long step = kept[expert] > 1 ? 1 : 0;
            kept[expert] -= step;
            left += step * tokens[expert];
        }

        for (bool more = true; more;)
        {
            more = false;
            foreach (int expert in seen.Where(e => kept[e] < size))
            {
                if (tokens[expert] <= left)
                {
                    kept[expert]++;
                    left -= tokens[expert];
                    more = true;
                }
            }
        }

        return kept;
    }

    /// <summary>The measured sparsities: the target and two on either side.</summary>
    public static double[] Grid(double sparsity, double maxDeviation)
    {
        double reach = Reach(sparsity, maxDeviation);
        return [sparsity - reach, sparsity - (reach / 2), sparsity, sparsity + (reach / 2), sparsity + reach];
    }

    private static double Reach(double sparsity, double maxDeviation) =>
        Math.Min(maxDeviation, Math.Min(sparsity, 0.98 * (1 - sparsity)));

    /// <summary>
    /// Errors grow about exponentially with sparsity: logarithms are interpolated. From high sparsity to low.
    /// </summary>
    private static List<(double Sparsity, double Error)> Interpolate(IReadOnlyList<double> sparsities, double[] errors)
    {
        var points = new List<(double, double)>();
        double[] logs = [.. errors.Select(error => Math.Log(Math.Max(error, 1e-12)))];
        for (int i = sparsities.Count - 1; i > 0; i--)
        {
            for (int step = 0; step < Steps; step++)
            {
                double t = (double)step / Steps;
                points.Add((sparsities[i] + (t * (sparsities[i - 1] - sparsities[i])), Math.Exp(logs[i] + (t * (logs[i - 1] - logs[i])))));
            }
        }

        points.Add((sparsities[0], Math.Exp(logs[0])));
        return points;
    }

    /// <summary>Pieces of the lower convex hull of error over kept weights: falls that get less and less.</summary>
    private static IEnumerable<(double Width, double Fall)> Hull(List<(double Sparsity, double Error)> points)
    {
        var hull = new List<(double Sparsity, double Error)>();
        foreach (var point in points)
        {
            while (hull.Count > 1 && Slope(hull[^2], hull[^1]) <= Slope(hull[^2], point))
            {
                hull.RemoveAt(hull.Count - 1);
            }

            hull.Add(point);
        }

        return hull.Zip(hull.Skip(1), (from, to) => (from.Sparsity - to.Sparsity, from.Error - to.Error))
            .Where(piece => piece.Item1 > 0);

        static double Slope((double Sparsity, double Error) from, (double Sparsity, double Error) to) =>
            (from.Error - to.Error) / (from.Sparsity - to.Sparsity);
    }
}
