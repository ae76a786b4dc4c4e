using CsCheck;

namespace SparseExpansion.Execution.LowBit;

/// <summary>One of some values.</summary>
internal static class Choice
{
    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}
