using static TorchSharp.torch;

namespace SparseExpansion.Tensors;

/// <summary>
/// Operations of TorchSharp that make a temporary <see cref="TorchSharp.Scalar"/> inside, where no caller can keep it
/// alive, done with one that lives (<see cref="Scalars"/>). Values, dtypes
/// and gradients are those of the operation named.
/// </summary>
public static class TensorArithmetic
{
    /// <summary>The sum, in place of <c>tensor + other</c> and <c>tensor.add(other)</c>.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="other">A tensor that broadcasts with it.</param>
    /// <returns>A new tensor.</returns>
    public static Tensor Plus(this Tensor tensor, Tensor other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add(other, Scalars.Of(1));
    }

    /// <inheritdoc cref="Plus(Tensor, Tensor)"/>
    public static Tensor Plus(this Tensor tensor, long other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add(Scalars.Of(other), Scalars.Of(1));
    }

    /// <inheritdoc cref="Plus(Tensor, Tensor)"/>
    public static Tensor Plus(this Tensor tensor, double other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add(Scalars.Of(other), Scalars.Of(1));
    }

    /// <summary>Adds in place, in place of <c>tensor.add_(other)</c>.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="other">A tensor that broadcasts to it.</param>
    /// <returns><paramref name="tensor"/>.</returns>
    public static Tensor PlusInPlace(this Tensor tensor, Tensor other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add_(other, Scalars.Of(1));
    }

    /// <inheritdoc cref="PlusInPlace(Tensor, Tensor)"/>
    public static Tensor PlusInPlace(this Tensor tensor, long other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add_(Scalars.Of(other), Scalars.Of(1));
    }

    /// <inheritdoc cref="PlusInPlace(Tensor, Tensor)"/>
    public static Tensor PlusInPlace(this Tensor tensor, double other)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.add_(Scalars.Of(other), Scalars.Of(1));
    }

    /// <summary>The square of each element, in place of <c>tensor.square()</c>.</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <returns>A new tensor.</returns>
    public static Tensor Squared(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.pow(Scalars.Of(2));
    }

    /// <summary>
    /// The integers from 0 to <paramref name="count"/> − 1, in place of <c>torch.arange(count)</c>.
    /// </summary>
    /// <param name="count">Number of elements, at least 0.</param>
    /// <param name="dtype">Dtype of the result; int64 where it is not given.</param>
    /// <param name="device">Device of the result; the default device where it is not given.</param>
    /// <returns>A new tensor [count].</returns>
    public static Tensor Range(long count, ScalarType dtype = ScalarType.Int64, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return arange(Scalars.Of(0), Scalars.Of(count), Scalars.Of(1), dtype, device);
    }
}
