using TorchSharp;

namespace SparseExpansion.Transformers;

/// <summary>The leak check for actions that make and dispose whole models.</summary>
internal static class ModelLeakCheck
{
    /// <summary>
    /// TorchSharp's counter never forgets the tensor that a <c>Parameter</c> is made from, although the parameter takes
    /// over its
    /// storage. So exactly one tensor per parameter must seem to be left.
    /// </summary>
    public static void NoTensorsLeft(int parameters, Action action)
    {
        action();
        long before = torch.Tensor.TotalCount;
        action();
        Assert.Equal(parameters, torch.Tensor.TotalCount - before);
    }
}
