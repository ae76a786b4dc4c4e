using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Modules;
using SparseExpansion.Transformers.Decoder.Passes;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Attention;

/// <summary>Compares with loops over heads, queries and keys.</summary>
public sealed class SelfAttentionTests
{
    private const int Heads = 4;
    private const int KeyHeads = 2;
    private const int Width = 3;
    private const int Hidden = 8;
    private const int Tokens = 10;

    private static readonly int[] s_padding = [0, 2, 5];

    public static TheoryData<double?, int?, bool, int[]> Settings
    {
        get
        {
            var settings = new TheoryData<double?, int?, bool, int[]>();
            foreach (double? cap in new double?[] { null, 0.7 })
            {
                foreach (int? window in new int?[] { null, 1, 3, 20 })
                {
                    foreach (int[] chunks in new int[][] { [10], [6, 1, 3], [1, 1, 1, 2, 1, 4] })
                    {
                        settings.Add(cap, window, false, chunks);
                        settings.Add(cap, window, true, chunks);
                    }
                }
            }

            return settings;
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Run_SoftCapWindowPaddingAndPieces_EqualsPlainLoops(double? cap, int? window, bool pads, int[] chunks)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        ModelConfig config = Config(cap, window);
        using SelfAttention attention = Make(config);
        Tensor input = randn([3, Tokens, Hidden], float64, generator: new Generator(8));
        using var cache = new KeyValueCache(config, pads ? s_padding : null, CPU);
        var pieces = new List<Tensor>();
        long at = 0;
        foreach (int chunk in chunks)
        {
            using var pass = new ForwardPass(cache, chunk, CPU);
            pieces.Add(attention.Run(input.narrow(1, at, chunk), pass));
            cache.Advance(chunk);
            at += chunk;
        }

        AssertEqual(Loops(attention, config, input, pads ? s_padding : [0, 0, 0]), cat(pieces, 1), pads ? s_padding : [0, 0, 0]);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(null, 3)]
    [InlineData(0.7, null)]
    [InlineData(0.7, 3)]
    public void Run_WithoutACache_EqualsPlainLoops(double? cap, int? window)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        ModelConfig config = Config(cap, window);
        using SelfAttention attention = Make(config);
        Tensor input = randn([3, Tokens, Hidden], float64, generator: new Generator(8));
        using var pass = new ForwardPass(null, Tokens, CPU);

        AssertEqual(Loops(attention, config, input, [0, 0, 0]), attention.Run(input, pass), [0, 0, 0]);
    }

    /// <summary>Tokens of padding may be anything but infinite or not a number.</summary>
    private static void AssertEqual(double[,,] expected, Tensor actual, int[] padding)
    {
        Assert.True(actual.isfinite().all().item<bool>());
        double[] values = actual.contiguous().data<double>().ToArray();
        for (int row = 0; row < padding.Length; row++)
        {
            for (int token = padding[row]; token < Tokens; token++)
            {
                for (int feature = 0; feature < Hidden; feature++)
                {
                    Assert.Equal(expected[row, token, feature], values[(((row * Tokens) + token) * Hidden) + feature], 1e-5);
                }
            }
        }
    }

    private static double[,,] Loops(SelfAttention attention, ModelConfig config, Tensor input, int[] padding)
    {
        double[][] queries = Project("q_proj"), keys = Project("k_proj"), values = Project("v_proj");
        double[][] output = Matrix("o_proj");
        var result = new double[padding.Length, Tokens, Hidden];
        for (int row = 0; row < padding.Length; row++)
        {
            for (int token = padding[row]; token < Tokens; token++)
            {
                int first = Math.Max(padding[row], config.Layers[0].Window is { } window ? token - window + 1 : 0);
                for (int head = 0; head < Heads; head++)
                {
                    int keyHead = head / (Heads / KeyHeads);
                    double[] weights = [.. Enumerable.Range(first, token - first + 1).Select(key => Math.Exp(Capped(
                        Enumerable.Range(0, Width).Sum(i => queries[(row * Tokens) + token][(head * Width) + i] * keys[(row * Tokens) + key][(keyHead * Width) + i]) / Math.Sqrt(Width))))];
                    for (int i = 0; i < Width; i++)
                    {
                        double mixed = weights.Select((weight, key) => weight * values[(row * Tokens) + first + key][(keyHead * Width) + i]).Sum() / weights.Sum();
                        for (int feature = 0; feature < Hidden; feature++)
                        {
                            result[row, token, feature] += output[feature][(head * Width) + i] * mixed;
                        }
                    }
                }
            }
        }

        return result;

        double Capped(double score) => config.AttentionSoftCap is { } cap ? cap * Math.Tanh(score / cap) : score;

        double[][] Matrix(string name) => Rows(attention.named_parameters().Single(entry => entry.name == $"{name}.weight").parameter);

        double[][] Project(string name)
        {
            double[][] weight = Matrix(name);
            return [.. Rows(input.view(-1, Hidden)).Select(token =>
                weight.Select(row => row.Zip(token).Sum(pair => pair.First * pair.Second)).ToArray())];
        }
    }

    private static double[][] Rows(Tensor matrix) => [.. matrix.data<double>().ToArray().Chunk((int)matrix.size(1))];

    private static SelfAttention Make(ModelConfig config)
    {
        var attention = new SelfAttention(
            config, 0, null, ModelFamilies.Of("llama").Names.AttentionParts, new WeightPlacement(CPU, ScalarType.Float64));
        using var generator = new Generator(2);
        foreach (Parameter parameter in attention.parameters())
        {
            parameter.normal_(0, 0.7, generator);
        }

        return attention;
    }

    private static ModelConfig Config(double? cap, int? window) => new()
    {
        ModelType = "llama",
        VocabularySize = 8,
        HiddenSize = Hidden,
        IntermediateSize = 8,
        HeadCount = Heads,
        KeyValueHeadCount = KeyHeads,
        HeadDimension = Width,
        MaxPositions = Tokens,
        AttentionSoftCap = cap,
        Layers = [new LayerOptions { Window = window }],
    };
}
