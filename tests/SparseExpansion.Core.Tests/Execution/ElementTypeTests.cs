using static TorchSharp.torch;

namespace SparseExpansion.Execution;

public sealed class ElementTypeTests
{
    public static TheoryData<ElementType> Types => [.. Enum.GetValues<ElementType>()];

    /// <summary>Casts convert between the two.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void Numbers_OfEveryType_AreThoseOfTorch(ElementType type)
    {
        using Tensor element = zeros(1, dtype: (ScalarType)type);

        Assert.Equal(type.ToString(), ((ScalarType)type).ToString());
        Assert.Equal(element.element_size(), ElementTypes.SizeOf(type));
    }
}
