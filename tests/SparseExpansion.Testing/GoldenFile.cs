using System.Globalization;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Testing;

/// <summary>Results of reference implementations, copied beside the tests: Fixtures/golden/NAME.safetensors.</summary>
/// <param name="name">File name without folder and ending.</param>
public sealed class GoldenFile(string name)
{
    private readonly string _path = Path.Combine(AppContext.BaseDirectory, "Fixtures", "golden", name + ".safetensors");

    /// <summary>A tensor of the file; it belongs to the caller's dispose scope.</summary>
    public Tensor Tensor(string tensor)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(_path);
        return reader.Read(tensor);
    }

    /// <summary>A number among the metadata.</summary>
    public double Number(string metadata)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(_path);
        return double.Parse(reader.Metadata[metadata], CultureInfo.InvariantCulture);
    }
}
