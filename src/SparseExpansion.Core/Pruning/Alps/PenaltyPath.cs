using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

/// <summary>
/// ρ(H + ρI)⁻¹ along a rising penalty ρ, from few factorizations. With X = b(H + bI)⁻¹ exact, it is r X(I + (r − 1)X)⁻¹
/// for r = ρ/b, and the inverse in it is a polynomial of X: of degree two, by Chebyshev, within 4 % as long as ρ is
/// within three times b either way. Weighted sums of X, X² and X³ replace a factorization for each penalty.
/// </summary>
/// <remarks>
/// In float32 the approximation is symmetric, positive definite and shares the eigenvectors of H: it is the exact
/// inverse for a Hessian whose eigenvalues λ are off by up to 4 % of λ + ρ, which may put those far below ρ just under
/// zero. ADMM needs a step that points the right way, not an exact one; the supports that it finds are as good as with
/// exact inverses, and least squares on them are solved with H itself.
/// </remarks>
internal sealed class PenaltyPath : IDisposable
{
    /// <summary>Largest distance of a penalty from the base, as a factor.</summary>
    public const double Reach = 3;

    private readonly Tensor _hessians;
    private readonly ScalarType _precision;
    private Tensor? _experts;
    private Tensor _first;
    private Tensor _second;
    private Tensor _third;
    private double _base;
    private double _scale;

    /// <summary>Begins a path.</summary>
    /// <param name="hessians">H, [k, d, d], float32; must outlive the path, which refers to it when the base has to
    /// move.</param>
    /// <param name="factors">U, upper triangular, with UᵀU = (H + bI)⁻¹ for the first base b, [k, d, d],
    /// float32.</param>
    /// <param name="penalty">b.</param>
    /// <param name="precision">float32 or bfloat16, for the powers and the results.</param>
    public PenaltyPath(Tensor hessians, Tensor factors, double penalty, ScalarType precision)
    {
        _hessians = hessians;
        _precision = precision;
        _base = penalty;
        (_scale, _first, _second, _third) = Powers(factors, penalty);
    }

    /// <summary>ρ(H + ρI)⁻¹, [k, d, d], in the path's precision.</summary>
    /// <param name="penalty">ρ, at least the base / <see cref="Reach"/>.</param>
    /// <exception cref="PruningException">The base moves, and H with the new one cannot be factored.</exception>
    public Tensor At(double penalty)
    {
        if (penalty > Reach * _base)
        {
            MoveBase(penalty * Reach);
        }

        double ratio = penalty / _base;
        (double constant, double linear, double square) = Coefficients(ratio);
        double unit = _base / _scale;
        return AlpsUpdate.Combine(
            _first, ratio * constant * unit, _second, ratio * linear * unit * unit, _third,
            ratio * square * unit * unit * unit);
    }

    /// <summary>Goes on with some of the experts.</summary>
    /// <param name="experts">Positions among those of now, int64.</param>
    public void Keep(Tensor experts)
    {
        Tensor? former = _experts;
        _experts = (former is null ? experts.clone() : former.index_select(0, experts)).DetachFromDisposeScope();
        former?.Dispose();
        Replace(_first.index_select(0, experts), _second.index_select(0, experts), _third.index_select(0, experts));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _experts?.Dispose();
        _first.Dispose();
        _second.Dispose();
        _third.Dispose();
    }

    /// <summary>
    /// p(s) = α + βs + γs² that makes 1 − (1 + cs)p(s) smallest on [0, 1], with c = ratio − 1: what is left is T₃ of 1
    /// + cs, mapped from between 1 and the ratio to [−1, 1] and scaled to 1 where 1 + cs is 0.
    /// </summary>
    /// <param name="ratio">ρ / b, above 0.</param>
    internal static (double Constant, double Linear, double Square) Coefficients(double ratio)
    {
        double c = ratio - 1;
        if (c == 0)
        {
            return (1, 0, 0);
        }

        double z = (ratio + 1) / Math.Abs(c), w = 2 / Math.Abs(c), scale = z * ((4 * z * z) - 3);
        double first = w * ((12 * z * z) - 3) / scale, second = -12 * z * w * w / scale, third = 4 * w * w * w / scale;
        return (first + second + third, c * (second + (2 * third)), c * c * third);
    }

    private void MoveBase(double penalty)
    {
        using var scope = NewDisposeScope();
        Tensor hessians = _experts is null ? _hessians : _hessians.index_select(0, _experts);
        _base = penalty;
        (_scale, Tensor first, Tensor second, Tensor third) = Powers(Factor(hessians, penalty), penalty);
        Replace(first, second, third);
    }

    private static Tensor Factor(Tensor hessians, double penalty)
    {
        using Tensor penalized = hessians.clone(), diagonal = penalized.diagonal(0, 1, 2);
        diagonal.PlusInPlace(penalty);
        (Tensor factors, bool[] succeeded) = InverseFactor.Compute(penalized);
        return succeeded.All(success => success)
            ? factors
            : throw new PruningException(
                $"H + {penalty}·I could not be factored: the Hessian is not positive definite in "
                + "float32; raise the damping.");
    }

    /// <summary>
    /// 4ⁿ, and X · 4ⁿ/b with its square and its cube, for the n that makes 4ⁿ/b about 1: numbers of middling size
    /// whatever the penalty is, and rounded as X/b would be.
    /// </summary>
    private (double Scale, Tensor First, Tensor Second, Tensor Third) Powers(Tensor factors, double penalty)
    {
        using var scope = NewDisposeScope();
        double root = Math.ScaleB(1, (int)Math.Round(Math.Log2(penalty) / 2));
        Tensor rounded = factors.to(_precision).mul(Scalars.Of(root));
        Tensor first = rounded.mT.bmm(rounded), second = first.bmm(first), third = second.bmm(first);
        return (root * root, first.DetachFromDisposeScope(), second.DetachFromDisposeScope(), third.DetachFromDisposeScope());
    }

    private void Replace(Tensor first, Tensor second, Tensor third)
    {
        _first.Dispose();
        _second.Dispose();
        _third.Dispose();
        (_first, _second, _third) =
            (first.DetachFromDisposeScope(), second.DetachFromDisposeScope(), third.DetachFromDisposeScope());
    }
}
