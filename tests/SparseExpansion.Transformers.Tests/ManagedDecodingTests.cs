using SparseExpansion.Expansion;
using SparseExpansion.Inference;
using SparseExpansion.Inference.Routing;
using SparseExpansion.Layers;
using SparseExpansion.Models;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Expanded folders, decoded in managed code, against the torch models.</summary>
public sealed class ManagedDecodingTests : IDisposable
{
    private static readonly int[] s_text = [3, 9, 27, 81, 1, 7, 5, 60, 44, 2, 19, 90, 33, 8];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Append_LinearRouter_GivesTheLogitsOfTorch(string name) =>
        AssertSame(Save(name, new PcaKMeansOptions { Experts = 3, PcaReduction = null, Restarts = 1 }));

    /// <summary>Of the same tokens: those of two engines differ by rounding, which this router magnifies.</summary>
    [Fact]
    public unsafe void Choose_Random_GivesTheExpertsOfTorch()
    {
        const int Count = 500, Features = 65, Experts = 7;
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        using var expected = new RandomRouter(Features, Experts, seed: 3);
        float[] direction = expected.GetState().Tensors["projection"].data<float>().ToArray();
        using var router = new RandomTokenRouter(direction, Experts);
        Tensor tokens = randn([Count, Features], generator: generator);
        long[] chosen = new long[Count];

        fixed (float* numbers = tokens.data<float>().ToArray())
        {
            router.Choose(numbers, Features, chosen, null, 1);
        }

        Assert.Equal(expected.Route(tokens).data<long>().ToArray(), chosen);
        Assert.Equal(Experts, chosen.Distinct().Count());
    }

    [Fact]
    public void Generate_RandomRouter_GivesTokens()
    {
        using InferenceModel model = InferenceModel.Load(Save("qwen3", trainer: new RandomRouterTrainer(4)));

        Assert.Equal(8, ManagedGenerator.Generate(
            model, s_text, new GenerationOptions { MaxNewTokens = 8, EosIds = [] }, TestContext.Current.CancellationToken).Count());
    }

    [Fact]
    public void Append_SingleExperts_GivesTheLogitsOfTorch() =>
        AssertSame(Save("phi", trainer: new SingleExpertRouterTrainer()));

    [Theory]
    [InlineData(4, 64)]
    [InlineData(8, null)]
    public void Append_QuantizedExperts_GivesTheLogitsOfTorch(int bits, int? group) =>
        AssertSame(Save("llama3_scaled_rope", quantization: new WeightQuantization { Bits = bits, GroupSize = group }));

    /// <summary>
    /// Tokens in eight bits are off by about a hundredth of themselves in every product, whatever the bits of the codes;
    /// in this small model of random weights nothing averages that out.
    /// </summary>
    [Theory]
    [InlineData(2, 64)]
    [InlineData(3, 128)]
    [InlineData(4, 64)]
    [InlineData(8, null)]
    public void Append_QuantizedExpertsWithTokensInEightBits_GivesLogitsNearThoseOfFloats(int bits, int? group)
    {
        string folder = Save("llama3_scaled_rope", quantization: new WeightQuantization { Bits = bits, GroupSize = group });
        float[] exact = Logits(folder, ActivationPrecision.Float32), rounded = Logits(folder, ActivationPrecision.Int8);

        double size = Math.Sqrt(exact.Sum(value => (double)value * value));
        double error = Math.Sqrt(exact.Zip(rounded, (a, b) => (double)(a - b) * (a - b)).Sum());
        Assert.InRange(error / size, 1e-7, 0.04);
    }

    [Fact]
    public void Append_DenseExperts_GivesTheLogitsOfTorch() =>
        AssertSame(Save("gpt2", format: ExpertFormat.Dense));

    [Fact]
    public void Append_BFloat16Experts_GivesTheLogitsOfTorch() =>
        AssertSame(Save("smollm3", dtype: ScalarType.BFloat16));

    private string Save(
        string name, PcaKMeansOptions? clusters = null, Routing.IRouterTrainer? trainer = null,
        WeightQuantization? quantization = null, ExpertFormat format = ExpertFormat.Unchanged,
        ScalarType dtype = ScalarType.Float32)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name), new LoadOptions { DType = dtype });
        var random = new Random(5);
        int[] tokens = [.. Enumerable.Range(0, 2048).Select(_ => random.Next(model.Config.VocabularySize))];
        using ExpansionResult result = model.ExpandFeedForward(SparsityTarget.Unstructured(0.5))
            .CalibrateOn(TokenWindows.FromTokens(tokens, 32))
            .RouteWith(trainer ?? new PcaKMeansTrainer(clusters ?? new PcaKMeansOptions { Experts = 2, PcaReduction = null, Restarts = 1 }))
            .PruneWith(
                new SparseGptSparsifier(new SparseGptOptions { Quantization = quantization }),
                SparsityTarget.Unstructured(0.5))
            .Run(cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotEmpty(model.Mixtures());
        result.SavePretrained(_folder.File(name), Fixture.Model(name), format: format);
        return _folder.File(name);
    }

    private static float[] Logits(string folder, ActivationPrecision activations)
    {
        using InferenceModel model = InferenceModel.Load(folder, new InferenceOptions { Activations = activations });
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        float[] logits = new float[s_text.Length * model.Config.VocabularySize];
        session.Append(sequence, s_text, logits);
        return logits;
    }

    private static void AssertSame(string folder)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel torchModel = PretrainedModel.Load(folder, new LoadOptions { DType = ScalarType.Float32 });
        using InferenceModel model = InferenceModel.Load(
            folder, new InferenceOptions { Activations = ActivationPrecision.Float32 });
        using InferenceSession session = model.CreateSession();
        int vocabulary = model.Config.VocabularySize;
        Tensor expected = torchModel.call(tensor(s_text.Select(id => (long)id).ToArray()).unsqueeze(0)).flatten();

        foreach (int piece in new[] { s_text.Length, 1 })
        {
            using InferenceSequence sequence = model.CreateSequence();
            float[] logits = new float[s_text.Length * vocabulary];
            for (int done = 0; done < s_text.Length; done += piece)
            {
                session.Append(
                    sequence, s_text.AsSpan(done, piece), logits.AsSpan(done * vocabulary, piece * vocabulary));
            }

            Assert.InRange(((tensor(logits) - expected).norm() / expected.norm()).item<float>(), 0, 1e-5f);
        }

        int[] generated =
            [.. ManagedGenerator.Generate(model, s_text, new GenerationOptions { MaxNewTokens = 8, EosIds = [] }, TestContext.Current.CancellationToken)];
        Assert.Equal(TextGenerator.Generate(torchModel, s_text, new GenerationOptions { MaxNewTokens = 8, EosIds = [] }, TestContext.Current.CancellationToken), generated);
    }
}
