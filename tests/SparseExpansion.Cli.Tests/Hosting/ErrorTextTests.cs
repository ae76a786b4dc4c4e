using System.Runtime.InteropServices;

namespace SparseExpansion.Cli.Hosting;

public sealed class ErrorTextTests
{
    [Fact]
    public void Of_ErrorsOfInput_IsOneLine()
    {
        Assert.Equal("a b", ErrorText.Of(new SparseExpansionException("a\n  b\n")));
        Assert.Equal("Seed: too small", ErrorText.Of(new ArgumentOutOfRangeException("Seed", 3, "too small")));
        Assert.Equal("The prompt has no tokens.", ErrorText.Of(new ArgumentException("The prompt has no tokens.", "prompt")));
        Assert.Equal("no disk", ErrorText.Of(new IOException("no disk")));
    }

    [Fact]
    public void Of_NativeError_LeavesItsStackTraceOut() =>
        Assert.Equal("CUDA out of memory.", ErrorText.Of(new NativeException("CUDA out of memory.\nException raised from malloc\n #1 frame")));

    [Fact]
    public void Of_ErrorOfTheProgram_TellsAll() =>
        Assert.Contains(nameof(InvalidOperationException), ErrorText.Of(new InvalidOperationException("bug")), StringComparison.Ordinal);

    /// <summary>TorchSharp's exceptions are of the same family.</summary>
    private sealed class NativeException(string message) : ExternalException(message);
}
