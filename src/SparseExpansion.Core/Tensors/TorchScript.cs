using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Tensors;

/// <summary>Calls of compiled scripts whose arguments stay alive until the script has returned.</summary>
internal static class TorchScript
{
    /// <summary>Calls a function that returns one tensor.</summary>
    /// <param name="unit">The compiled script.</param>
    /// <param name="function">The function's name.</param>
    /// <param name="arguments">
    /// Tensors and scalars of <see cref="Scalars"/>; TorchSharp would make a temporary of a number and read its pointer
    /// later, in the call.
    /// </param>
    /// <returns>The function's result.</returns>
    public static Tensor Invoke(this jit.CompilationUnit unit, string function, params object[] arguments)
    {
        if (Array.Find(arguments, argument => argument is not (Tensor or Scalar)) is { } other)
        {
            throw new ArgumentException(
                $"Scripts are called with tensors and scalars, not with {other.GetType().Name}.", nameof(arguments));
        }

#pragma warning disable RS0030 // Banned for the sake of numbers, of which there are none.
        var result = (Tensor)unit.invoke(function, arguments);
#pragma warning restore RS0030
        GC.KeepAlive(arguments);
        return result;
    }
}
