using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Testing;

namespace SparseExpansion.Inference.Loading;

/// <summary>Expanded folders: the same as dense ones of the same values, or refused.</summary>
public sealed class ExpandedFolderTests : IDisposable
{
    private const string Model = "llama3_scaled_rope", Layer = "model.layers.0.mlp.gate_proj";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_AllStorages_ComputesWhatTheDenseFolderDoes()
    {
        ExpandedFolder expanded = Make();
        expanded.Write(Model, _folder.File("expanded"));
        expanded.WriteDense(Model, _folder.File("dense"));
        int[] text = Fixture.Ids(Model)[0];
        float[] expected = Logits(_folder.File("dense"), text), actual = Logits(_folder.File("expanded"), text);

        Assert.InRange(Fixture.RelativeError(actual, [.. expected.Select(value => (double)value)]), 0, 1e-5);
        Assert.True(Fixture.RelativeError(actual, Fixture.Logits(Model)[0]) > 1e-2);
    }

    [Fact]
    public void Load_RearrangedCodes_ComputesWhatStoredOnesDo()
    {
        Make().Write(Model, _folder.File("expanded"));
        int[] text = Fixture.Ids(Model)[0];
        float[] stored = Logits(CodeForm.Stored), rearranged = Logits(CodeForm.Rearranged);

        Assert.InRange(Fixture.RelativeError(rearranged, [.. stored.Select(value => (double)value)]), 0, 1e-5);

        float[] Logits(CodeForm form)
        {
            using InferenceModel model = InferenceModel.Load(_folder.File("expanded"), new InferenceOptions { Codes = form });
            using InferenceSession session = model.CreateSession();
            using InferenceSequence sequence = model.CreateSequence();
            float[] logits = new float[text.Length * model.Config.VocabularySize];
            session.Append(sequence, text, logits);
            return logits;
        }
    }

    [Theory]
    [InlineData(ActivationPrecision.Int8)]
    [InlineData(ActivationPrecision.Float32)]
    public void Append_ExpandedInTheSteadyState_AllocatesNothing(ActivationPrecision activations)
    {
        Make().Write(Model, _folder.File("expanded"));
        using InferenceModel model = InferenceModel.Load(
            _folder.File("expanded"), new InferenceOptions { Activations = activations });
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        for (int token = 0; token < 20; token++)
        {
            session.Append(sequence, [token]);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int token = 20; token < 40; token++)
        {
            session.Append(sequence, [token]);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Load_RouterOfAKindOfTheUsersOwn_NamesLayerAndKindAndTheEngineThatTakesIt()
    {
        var folder = new ExpandedFolder(Model);
        folder.Expand(Layer, folder.AddRouter(64, "oracle"), "packed-bitmask");
        AssertRefused(
            folder, "experts.safetensors", $"layer '{Layer}'", "router 0", "'oracle'", "linear, random and single", "torch engine");
    }

    [Fact]
    public void Load_ExpertsOfDifferentTypes_NamesTheLayer()
    {
        ExpandedFolder folder = Make();
        string name = $"{Layer}.experts.1.values";
        folder.Stored[name] = SafetensorsContent.Of<Half>(
            name, ElementType.BFloat16, folder.Stored[name].Shape, new Half[folder.Stored[name].Shape[0]]);
        AssertRefused(folder, Layer, "expert 1 is BFloat16, expert 0 is Float32");
    }

    [Fact]
    public void Load_MoreExpertsThanTensors_SaysSoBeforeItAsksForThem()
    {
        ExpandedFolder folder = Make();
        folder.Change = index => index with
        {
            Layers = [.. index.Layers.Select(layer => layer.Router == 0 ? layer with { Experts = int.MaxValue } : layer)],
            Routers = [index.Routers[0] with { Experts = int.MaxValue }, index.Routers[1]],
        };
        AssertRefused(folder, Layer, "has 2147483647 experts");
    }

    [Fact]
    public void Load_UnknownStorage_NamesIt()
    {
        ExpandedFolder folder = Make();
        folder.Change = index => index with { Layers = [index.Layers[0] with { Storage = "zipped" }, .. index.Layers.Skip(1)] };
        AssertRefused(folder, Layer, "'zipped'");
    }

    [Fact]
    public void Load_LayerOfAnotherModel_NamesIt()
    {
        ExpandedFolder folder = Make();
        folder.Change = index => index with { Layers = [.. index.Layers, index.Layers[0] with { Name = "model.layers.9.mlp.gate_proj" }] };
        AssertRefused(folder, "'model.layers.9.mlp.gate_proj' is not a linear layer");
    }

    [Fact]
    public void Load_DamagedOffsets_NamesTheLayer()
    {
        ExpandedFolder folder = Make();
        string name = $"{Layer}.experts.1.panel_offsets";
        long length = folder.Stored[name].Shape[0];
        folder.Stored[name] = SafetensorsContent.Of<long>(name, ElementType.Int64, [length], new long[length]);
        AssertRefused(folder, Layer, "damaged");
    }

    [Theory]
    [InlineData(Layer + ".experts.2.masks")]
    [InlineData("routers.0.weight")]
    [InlineData("model.layers.1.self_attn.q_proj.scales")]
    [InlineData(Layer + ".experts.layout")]
    [InlineData("model.layers.1.mlp.down_proj.experts.0.zeros")]
    public void Load_MissingArray_NamesIt(string name)
    {
        ExpandedFolder folder = Make();
        Assert.True(folder.Stored.Remove(name));
        AssertRefused(folder, name);
    }

    [Fact]
    public void Load_WeightBesideItsCodes_IsRefused()
    {
        ExpandedFolder folder = Make();
        string name = "model.layers.1.self_attn.q_proj.weight";
        folder.Stored[name] = SafetensorsContent.Of<float>(name, ElementType.Float32, [1], new float[1]);
        AssertRefused(folder, "unexpected", name);
    }

    private static ExpandedFolder Make() => ExpandedFolder.OfAllStorages(Model);

    private void AssertRefused(ExpandedFolder folder, params string[] parts)
    {
        folder.Write(Model, _folder.File("expanded"));
        string message =
            Assert.Throws<CheckpointException>(() => InferenceModel.Load(_folder.File("expanded")).Dispose()).Message;
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private static float[] Logits(string folder, int[] text)
    {
        using InferenceModel model = InferenceModel.Load(
            folder, new InferenceOptions { Activations = ActivationPrecision.Float32 });
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        float[] logits = new float[text.Length * model.Config.VocabularySize];
        session.Append(sequence, text, logits);
        return logits;
    }
}
