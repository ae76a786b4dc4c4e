using System.Reflection;
using System.Xml.Linq;
using SparseExpansion.Execution;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Architecture;

/// <summary>
/// The line below TorchSharp: what decodes without libtorch must not ask for it, itself or through others.
/// </summary>
public sealed class LayerRuleTests
{
    [Theory]
    [InlineData(typeof(PackedWeight))]
    [InlineData(typeof(ModelConfig), "SparseExpansion.Execution")]
    public void Assembly_BelowTheLine_RefersToNothingAboveIt(Type type, params string[] projects)
    {
        string[] names = [.. type.Assembly.GetReferencedAssemblies().Select(name => name.Name!)];

        Assert.DoesNotContain(names, name => name.StartsWith("TorchSharp", StringComparison.OrdinalIgnoreCase) || name.StartsWith("libtorch", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(projects, names.Where(name => name.StartsWith("SparseExpansion", StringComparison.Ordinal)));
    }

    /// <summary>A reference that no code uses yet leaves no trace in the assembly, but in the package.</summary>
    [Theory]
    [InlineData("Execution", "")]
    [InlineData("Models", "Google.Protobuf, Microsoft.ML.Tokenizers, SparseExpansion.Execution")]
    [InlineData("Core", "MathNet.Numerics, Microsoft.Extensions.Logging.Abstractions, SparseExpansion.Execution, TorchSharp")]
    [InlineData("Inference", "SparseExpansion.Models, System.Numerics.Tensors")]
    [InlineData("Transformers", "SparseExpansion.Core, SparseExpansion.Models")]
    public void Project_OfALibrary_RefersToWhatTheArchitectureSays(string project, string expected)
    {
        string file =
            Path.Combine(Repository.Root, "src", $"SparseExpansion.{project}", $"SparseExpansion.{project}.csproj");
        IEnumerable<string> references = XDocument.Load(file).Descendants()
            .Where(element => element.Name.LocalName is "ProjectReference" or "PackageReference")
            .Select(element => Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value.Replace('\\', '/').Split('/')[^1] + (element.Name.LocalName == "PackageReference" ? ".dll" : "")));

        Assert.Equal(expected, string.Join(", ", references.Order(StringComparer.Ordinal)));
    }

    /// <summary>This program has no libtorch: whatever its tests do, they do without.</summary>
    [Fact]
    public void TestProgram_OfModels_HasNoNativeTorch() =>
        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!, "libtorch*", SearchOption.AllDirectories));
}
