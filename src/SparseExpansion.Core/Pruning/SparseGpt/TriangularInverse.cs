using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// Inverses of lower triangular matrices by halves: [[A, 0], [B, C]]⁻¹ = [[A⁻¹, 0], [−C⁻¹BA⁻¹, C⁻¹]]. Nearly all of the
/// work is matrix products, and the zero half is never touched, unlike in a triangular solve against the identity.
/// </summary>
internal static class TriangularInverse
{
    private const long Leaf = 128;

    /// <summary>L⁻¹ for a batch.</summary>
    /// <param name="lower">L, [k, d, d], lower triangular.</param>
    /// <returns>[k, d, d], lower triangular.</returns>
    public static Tensor Compute(Tensor lower)
    {
        Tensor inverse = zeros(lower.shape, lower.dtype, lower.device);
        Invert(lower, inverse);
        return inverse;
    }

    private static void Invert(Tensor lower, Tensor inverse)
    {
        using var scope = NewDisposeScope();
        long size = lower.shape[1];
        if (size <= Leaf)
        {
            Tensor identity = eye(size, dtype: lower.dtype, device: lower.device).expand(lower.shape);
            inverse.copy_(linalg.solve_triangular(lower, identity, upper: false));
            return;
        }

        long half = (size + (2 * Leaf) - 1) / (2 * Leaf) * Leaf;
        Tensor first = Part(inverse, 0, 0, half), second = Part(inverse, half, half, size - half);
        Invert(Part(lower, 0, 0, half), first);
        Invert(Part(lower, half, half, size - half), second);
        Tensor below = lower.narrow(1, half, size - half).narrow(2, 0, half);
        inverse.narrow(1, half, size - half).narrow(2, 0, half).copy_(second.matmul(below).matmul(first).neg_());
    }

    private static Tensor Part(Tensor matrices, long row, long column, long size) => matrices.narrow(1, row, size).narrow(2, column, size);
}
