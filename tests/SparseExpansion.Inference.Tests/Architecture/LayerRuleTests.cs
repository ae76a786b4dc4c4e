using System.Reflection;

namespace SparseExpansion.Inference.Architecture;

/// <summary>Inference stands below TorchSharp.</summary>
public sealed class LayerRuleTests
{
    [Fact]
    public void Assembly_OfInference_RefersToExecutionAndModelsAlone()
    {
        string[] names = [.. typeof(InferenceModel).Assembly.GetReferencedAssemblies().Select(name => name.Name!)];

        Assert.DoesNotContain(names, name => name.Contains("torch", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(
            ["SparseExpansion.Execution", "SparseExpansion.Models"],
            names.Where(name => name.StartsWith("SparseExpansion", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    /// <summary>This program has no libtorch: whatever its tests do, they do without.</summary>
    [Fact]
    public void TestProgram_OfInference_HasNoNativeTorch() =>
        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!, "libtorch*", SearchOption.AllDirectories));
}
