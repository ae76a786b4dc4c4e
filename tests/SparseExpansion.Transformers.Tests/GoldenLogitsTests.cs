using System.Text.Json;
using SparseExpansion.Serialization;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

public sealed class GoldenLogitsTests
{
    [Theory]
    [InlineData(Fixture.Llama, ScalarType.Float32, 1e-5)]
    [InlineData(Fixture.Qwen2, ScalarType.Float32, 1e-5)]
    [InlineData(Fixture.NeoXParallel, ScalarType.Float32, 1e-5)]
    [InlineData(Fixture.NeoXSequential, ScalarType.Float32, 1e-5)]
    [InlineData(Fixture.Llama, ScalarType.BFloat16, 3e-2)]
    [InlineData(Fixture.NeoXParallel, ScalarType.BFloat16, 3e-2)]
    public void Forward_GoldenModel_GivesTheReferenceLogits(string name, ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name), new LoadOptions { DType = type });
        (Tensor ids, Tensor expected) = ReadExpected(name);

        Tensor logits = model.call(ids);

        Assert.Equal(ScalarType.Float32, logits.dtype);
        Assert.InRange(RelativeError(logits, expected), 0, tolerance);
    }

    [Theory]
    [InlineData(Fixture.Llama)]
    [InlineData(Fixture.NeoXParallel)]
    public void Forward_OnCuda_GivesTheReferenceLogits(string name)
    {
        Assert.SkipUnless(cuda.is_available(), "Needs a CUDA device.");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name), new LoadOptions { Device = CUDA });
        using KeyValueCache cache = model.CreateCache();
        (Tensor ids, Tensor expected) = ReadExpected(name);
        Tensor onDevice = ids.to(CUDA);

        Tensor pieces = cat([model.forward(onDevice.narrow(1, 0, 9), cache), model.forward(onDevice.narrow(1, 9, ids.size(1) - 9), cache)], 1);

        Assert.InRange(RelativeError(model.call(onDevice).cpu(), expected), 0, 1e-3);
        Assert.InRange(RelativeError(pieces.cpu(), expected), 0, 1e-3);
    }

    [Theory]
    [InlineData(Fixture.Llama)]
    [InlineData(Fixture.Qwen2)]
    [InlineData(Fixture.NeoXParallel)]
    [InlineData(Fixture.NeoXSequential)]
    public void Forward_WithCacheInPieces_GivesTheReferenceLogits(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        using KeyValueCache cache = model.CreateCache();
        (Tensor ids, Tensor expected) = ReadExpected(name);

        // A prompt, several tokens at once behind it, then one by one.
        List<Tensor> pieces = [model.forward(ids.narrow(1, 0, 7), cache), model.forward(ids.narrow(1, 7, 5), cache)];
        for (long at = 12; at < ids.size(1); at++)
        {
            pieces.Add(model.forward(ids.narrow(1, at, 1), cache));
        }

        Assert.Equal(ids.size(1), cache.Length);
        Assert.InRange(RelativeError(cat(pieces, 1), expected), 0, 1e-5);
    }

    [Fact]
    public void Forward_TinyStories_GivesTheReferenceLogits()
    {
        string? folder = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")));
        long[] prompt =
            [.. reference.RootElement.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt64())];
        double[] expected = [.. reference.RootElement.GetProperty("logits_first8_per_position").EnumerateArray()
            .SelectMany(row => row.EnumerateArray().Select(value => value.GetDouble()))];
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(folder);

        Tensor logits = model.call(tensor(prompt).unsqueeze(0)).narrow(-1, 0, 8).flatten();

        Assert.InRange(RelativeError(logits, tensor(expected)), 0, 1e-4);
    }

    private static (Tensor Ids, Tensor Logits) ReadExpected(string name)
    {
        using SafetensorsReader reader =
            SafetensorsReader.Open(Path.Combine(Fixture.Model(name), "expected.safetensors"));
        return (reader.Read("input_ids"), reader.Read("logits"));
    }

    private static double RelativeError(Tensor actual, Tensor expected) =>
        ((actual.to(float64) - expected.to(float64)).norm() / expected.to(float64).norm()).item<double>();
}
