using static TorchSharp.torch;

namespace SparseExpansion.Execution;

public sealed class OpenMPWaitingTests
{
    [Fact]
    public void UsePassive_TorchLoaded_ChangesNothing()
    {
        using Tensor loaded = zeros(1);
        string? before = Environment.GetEnvironmentVariable("OMP_WAIT_POLICY");

        bool set = OpenMPWaiting.UsePassive();

        Assert.False(set);
        Assert.Equal(before, Environment.GetEnvironmentVariable("OMP_WAIT_POLICY"));
    }
}
