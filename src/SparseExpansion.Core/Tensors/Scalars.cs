using TorchSharp;

#pragma warning disable RS0030 // The one place where numbers become scalars.

namespace SparseExpansion.Tensors;

/// <summary>
/// Numbers for TorchSharp calls that stay alive during the call: <c>x * Scalars.Of(0.5)</c>,
/// <c>x.clamp_min(Scalars.Of(1e-8))</c>.
/// </summary>
/// <remarks>
/// TorchSharp turns a number into a temporary <see cref="Scalar"/> and hands its bare pointer to libtorch. From then on
/// nothing refers to the object, so a garbage collection during the call runs its finalizer, which frees the value
/// while libtorch reads it: the call throws ("Unknown scalar type.") or computes with another number. A scalar made
/// here is referenced by the thread that made it until the same thread has made <see cref="Kept"/> more, long after the
/// call returned.
/// </remarks>
public static class Scalars
{
    /// <summary>Number of scalars a thread keeps; a call takes a handful at the most.</summary>
    private const int Kept = 64;

    [ThreadStatic]
    private static Scalar[]? t_kept;

    [ThreadStatic]
    private static int t_next;

    /// <summary>An integer, as TorchSharp converts one implicitly.</summary>
    /// <param name="value">The number.</param>
    /// <returns>A scalar for a call on this thread.</returns>
    public static Scalar Of(int value) => Keep(value);

    /// <inheritdoc cref="Of(int)"/>
    public static Scalar Of(long value) => Keep(value);

    /// <summary>A floating-point number, as TorchSharp converts one implicitly.</summary>
    /// <param name="value">The number.</param>
    /// <returns>A scalar for a call on this thread.</returns>
    public static Scalar Of(double value) => Keep(value);

    /// <inheritdoc cref="Of(double)"/>
    public static Scalar Of(float value) => Keep(value);

    /// <summary>A truth value, as TorchSharp converts one implicitly.</summary>
    /// <param name="value">The truth value.</param>
    /// <returns>A scalar for a call on this thread.</returns>
    public static Scalar Of(bool value) => Keep(value);

    private static Scalar Keep(Scalar scalar)
    {
        Scalar[] kept = t_kept ??= new Scalar[Kept];
        kept[t_next] = scalar;
        t_next = (t_next + 1) % Kept;
        return scalar;
    }
}
