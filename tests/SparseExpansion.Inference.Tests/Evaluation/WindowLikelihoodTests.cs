using System.Text.Json.Nodes;
using SparseExpansion.Testing;

namespace SparseExpansion.Inference.Evaluation;

/// <summary>Windows that are read in pieces.</summary>
public sealed class WindowLikelihoodTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>LongRoPE has other positions for texts beyond the original context, from the first token on.</summary>
    [Fact]
    public void Negative_LongRopeWindowInPieces_IsThatOfTheWholeWindow()
    {
        using InferenceModel model = InferenceModel.Load(LongRope());
        long[] ids = [.. Enumerable.Range(0, 20).Select(i => (long)(7 * i % model.Config.VocabularySize))];

        double pieces = WindowLikelihood.Negative(
            model, ids, ids.Length, null, TestContext.Current.CancellationToken, 3 * model.Config.VocabularySize);
        double whole = WindowLikelihood.Negative(model, ids, ids.Length, null, TestContext.Current.CancellationToken);

        Assert.Equal(whole, pieces, 1e-3);
    }

    [Fact]
    public void Negative_LongRope_DependsOnTheLengthOfTheWindow()
    {
        using InferenceModel model = InferenceModel.Load(LongRope());
        long[] ids = [.. Enumerable.Range(0, 20).Select(i => (long)(7 * i % model.Config.VocabularySize))];

        double whole = WindowLikelihood.Negative(model, ids, ids.Length, null, TestContext.Current.CancellationToken);
        double halves = WindowLikelihood.Negative(model, ids, ids.Length / 2, null, TestContext.Current.CancellationToken);

        Assert.True(Math.Abs(whole - halves) > 1e-2, $"{whole} and {halves}");
    }

    /// <summary>The model of Phi-3 with an original context of 12 tokens.</summary>
    private string LongRope()
    {
        string folder = _folder.File("model");
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(Fixture.Folder("phi3"), "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(Fixture.Folder("phi3"), "config.json")))!;
        int pairs = (int)config["hidden_size"]! / (int)config["num_attention_heads"]! / 2;
        config["max_position_embeddings"] = 128;
        config["original_max_position_embeddings"] = 12;
        config["rope_parameters"] = new JsonObject
        {
            ["rope_type"] = "longrope",
            ["rope_theta"] = 10000.0,
            ["short_factor"] = new JsonArray([.. Enumerable.Range(0, pairs).Select(_ => (JsonNode)1.0)]),
            ["long_factor"] = new JsonArray([.. Enumerable.Range(0, pairs).Select(i => (JsonNode)(2.0 + i))]),
        };
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        return folder;
    }
}
