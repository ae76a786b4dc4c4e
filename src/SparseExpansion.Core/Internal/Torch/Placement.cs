using static TorchSharp.torch;

namespace SparseExpansion.Internal.Torch;

/// <summary>Comparisons of the devices on which tensors lie.</summary>
internal static class Placement
{
    /// <summary>True if both name the same device; an index of -1 means the first one.</summary>
    public static bool Same(Device left, Device right) =>
        left.type == right.type && Math.Max(left.index, 0) == Math.Max(right.index, 0);

    /// <summary>Gives up <paramref name="tensor"/> for the same values on <paramref name="device"/>.</summary>
    public static Tensor MoveTo(Tensor tensor, Device device)
    {
        if (Same(tensor.device, device))
        {
            return tensor;
        }

        using (tensor)
        {
            return tensor.to(device);
        }
    }
}
