using SparseExpansion.Testing;
using TorchSharp;

namespace SparseExpansion;

public sealed class SmokeTests
{
    [Fact]
    public void Torch_Loads_AndAdds() => LeakCheck.NoTensorsLeft(() =>
    {
        using torch.Tensor one = torch.ones(1);
        Assert.Equal(1f, one.item<float>());
    });
}
