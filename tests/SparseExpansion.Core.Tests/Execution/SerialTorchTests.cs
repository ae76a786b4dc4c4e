using static TorchSharp.torch;

namespace SparseExpansion.Execution;

public sealed class SerialTorchTests
{
    [Fact]
    public void IsAvailable_OnLinux() => Assert.True(SerialTorch.IsAvailable || !OperatingSystem.IsLinux());

    [Fact]
    public void Enter_OneThread_LeavesTheOthersAlone()
    {
        Assert.SkipUnless(SerialTorch.IsAvailable, "torch's OpenMP is not to be found.");
        int here = get_num_threads(), inside = 0, after = 0, others = 0;
        var thread = new Thread(() =>
        {
            int before = SerialTorch.Enter();
            using Tensor product = mm(ones(300, 300), ones(300, 300));
            inside = get_num_threads();
            var other = new Thread(() => others = get_num_threads());
            other.Start();
            other.Join();
            SerialTorch.Leave(before);
            after = get_num_threads();
        });
        thread.Start();
        thread.Join();

        Assert.Equal((1, here, here, here), (inside, after, others, get_num_threads()));
    }
}
