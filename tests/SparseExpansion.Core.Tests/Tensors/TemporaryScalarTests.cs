using SparseExpansion.Testing;
using SparseExpansion.Testing.NativeLifetime;
using TorchSharp;

namespace SparseExpansion.Tensors;

/// <summary>
/// No code of this repository hands libtorch a number that a garbage collection may free during the call.
/// </summary>
public sealed class TemporaryScalarTests
{
    private const string Advice = "Use SparseExpansion.Tensors (Scalars.Of, Plus, PlusInPlace, Squared, Range, AdamOptimizer): a garbage collection may free the temporary Scalar during the call.";

    private static readonly TemporaryScalars s_scalars = new(typeof(torch).Assembly.Location);

    [Fact]
    public void BannedSymbols_AreAllOfTorchSharp()
    {
        string file = Path.Combine(Repository.Root, "build", "BannedSymbols.txt");
        string[] expected = [.. s_scalars.Symbols.Select(symbol => $"{symbol};{Advice}")];
        if (Environment.GetEnvironmentVariable("SPARSEEXPANSION_WRITE_BANNED_SYMBOLS") == "1")
        {
            File.WriteAllLines(file, expected);
        }

        Assert.Equal(expected, File.ReadAllLines(file));
    }

    [Theory]
    [InlineData("M:TorchSharp.Scalar.op_Implicit(System.Double)~TorchSharp.Scalar")]
    [InlineData("M:TorchSharp.torch.Tensor.op_Multiply(TorchSharp.torch.Tensor,System.Double)")]
    [InlineData("M:TorchSharp.torch.Tensor.op_Addition(TorchSharp.torch.Tensor,TorchSharp.torch.Tensor)")]
    [InlineData("M:TorchSharp.torch.Tensor.add_(TorchSharp.torch.Tensor)")]
    [InlineData("M:TorchSharp.torch.Tensor.square")]
    [InlineData("M:TorchSharp.TensorExtensionMethods.ToSingle(TorchSharp.torch.Tensor)")]
    [InlineData("M:TorchSharp.torch.Tensor.op_Implicit(TorchSharp.Scalar)~TorchSharp.torch.Tensor")]
    [InlineData("T:TorchSharp.Modules.Adam")]
    [InlineData("T:TorchSharp.Modules.SGD")]
    [InlineData("T:TorchSharp.Modules.LeakyReLU")]
    public void Symbols_KnownDangers_AreAmongThem(string symbol) => Assert.Contains(symbol, s_scalars.Symbols);

    [Theory]
    [InlineData("M:TorchSharp.torch.Tensor.mul(TorchSharp.Scalar)")]
    [InlineData("M:TorchSharp.torch.Tensor.op_Multiply(TorchSharp.torch.Tensor,TorchSharp.Scalar)")]
    [InlineData("M:TorchSharp.torch.Tensor.matmul(TorchSharp.torch.Tensor)")]
    [InlineData("M:TorchSharp.torch.Tensor.item``1")]
    public void Symbols_HarmlessCalls_AreNotAmongThem(string symbol) => Assert.DoesNotContain(symbol, s_scalars.Symbols);

    public static TheoryData<string> Assemblies =>
        [.. Directory.EnumerateFiles(AppContext.BaseDirectory, "SparseExpansion*.dll").Select(Path.GetFileName).OfType<string>()];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Assembly_HandsNoTemporaryToNativeCode(string assembly)
    {
        IReadOnlyList<string> calls = AssemblyCalls.Find(
            Path.Combine(AppContext.BaseDirectory, assembly), s_scalars, "SparseExpansion.Tensors.Scalars", "SparseExpansion.Tensors.TorchScript");

        Assert.True(calls.Count == 0, string.Join('\n', calls));
    }
}
