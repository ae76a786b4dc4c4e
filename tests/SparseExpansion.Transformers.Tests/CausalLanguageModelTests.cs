using SparseExpansion.Models;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Module = TorchSharp.torch.nn.Module;

namespace SparseExpansion.Transformers;

public sealed class CausalLanguageModelTests
{
    private static readonly RotaryOptions s_rotary = new() { Dimensions = 4 };

    private static readonly ModelConfig Tiny = new()
    {
        ModelType = "llama",
        VocabularySize = 17,
        HiddenSize = 16,
        IntermediateSize = 24,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadDimension = 4,
        MaxPositions = 32,
        Layers = LayerOptions.Repeat(2, s_rotary),
        TieWordEmbeddings = true,
    };

    [Theory]
    [InlineData(Fixture.Llama)]
    [InlineData(Fixture.NeoXParallel)]
    public void Forward_LeavesOneNewTensor(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        using Tensor ids = ones([2, 5], dtype: int64);
        LeakCheck.NoTensorsLeft(() =>
        {
            using Tensor logits = model.call(ids);
            using KeyValueCache cache = model.CreateCache();
            using Tensor cached = model.forward(ids, cache);
            using Tensor more = model.forward(ids, cache);
        });
        long before = Tensor.TotalCount;
        using Tensor result = model.call(ids);
        Assert.Equal(before + 1, Tensor.TotalCount);
    }

    [Fact]
    public void LoadAndDispose_LeaveNoTensors() => ModelLeakCheck.NoTensorsLeft(parameters: 26, () =>
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Qwen2));
        using Tensor ids = ones([1, 3], dtype: int64);
        using Tensor logits = model.call(ids);
    });

    [Fact]
    public void Blocks_RunOneByOne_GiveWhatTheModelGives()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = MakeTiny(Tiny);
        Tensor ids = randint(0, 17, [2, 9], dtype: int64);
        Tensor? last = null;
        Tensor? first = null;
        using var remover = new HookPair(
            model.Blocks[0], input => first = input.alias().DetachFromDisposeScope(), model.Blocks[^1],
            output => last = output.alias().DetachFromDisposeScope());
        using Tensor logits = model.call(ids);

        Tensor hidden = first!;
        foreach (Module<Tensor, Tensor> block in model.Blocks)
        {
            hidden = block.call(hidden);
        }

        Assert.True(hidden.allclose(last!));
        first!.Dispose();
        last!.Dispose();
    }

    [Fact]
    public void Projections_OfOneInput_SeeTheSameTensorObject()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = MakeTiny(Tiny);
        var inputs = new Dictionary<string, Tensor>();
        foreach ((string name, Module module) in model.named_modules())
        {
            if (module is Linear linear)
            {
                linear.register_forward_pre_hook((_, input) =>
                {
                    inputs[name] = input;
                    return input;
                });
            }
        }

        using Tensor logits = model.call(ones([1, 4], dtype: int64));

        Assert.Same(inputs["model.layers.0.self_attn.q_proj"], inputs["model.layers.0.self_attn.k_proj"]);
        Assert.Same(inputs["model.layers.0.self_attn.q_proj"], inputs["model.layers.0.self_attn.v_proj"]);
        Assert.Same(inputs["model.layers.1.mlp.gate_proj"], inputs["model.layers.1.mlp.up_proj"]);
        Assert.NotSame(inputs["model.layers.1.mlp.gate_proj"], inputs["model.layers.1.mlp.down_proj"]);
    }

    [Fact]
    public void StateDict_TiedEmbeddings_ListsOneMatrix()
    {
        using CausalLanguageModel model = MakeTiny(Tiny);
        Assert.Contains("model.embed_tokens.weight", model.state_dict().Keys);
        Assert.DoesNotContain("lm_head.weight", model.state_dict().Keys);
        Assert.Contains("model.layers.1.mlp.gate_proj.weight", model.state_dict().Keys);
    }

    [Fact]
    public void Forward_SlidingWindow_ForgetsTokensBeforeIt()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = MakeTiny(Tiny with { Layers = LayerOptions.Repeat(1, s_rotary, window: 3) });
        Tensor ids = tensor(new long[] { 1, 2, 3, 4, 5, 6 }).unsqueeze(0);
        Tensor other = tensor(new long[] { 9, 9, 9, 4, 5, 6 }).unsqueeze(0);
        using KeyValueCache cache = model.CreateCache();

        Tensor logits = model.call(ids);
        Tensor changed = model.call(other);
        Tensor pieces = cat([model.forward(ids.narrow(1, 0, 4), cache), model.forward(ids.narrow(1, 4, 1), cache), model.forward(ids.narrow(1, 5, 1), cache)], 1);

        Assert.True(logits.narrow(1, 5, 1).allclose(changed.narrow(1, 5, 1), atol: 1e-6));
        Assert.False(logits.narrow(1, 4, 1).allclose(changed.narrow(1, 4, 1), atol: 1e-6));
        Assert.True(logits.allclose(pieces, atol: 1e-5));
    }

    [Fact]
    public void Cache_Truncated_ForgetsTheTail()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = MakeTiny(Tiny);
        using KeyValueCache cache = model.CreateCache();
        Tensor ids = tensor(new long[] { 1, 2, 3, 4 }).unsqueeze(0);
        Tensor expected = model.call(ids);
        model.forward(tensor(new long[] { 1, 2, 9, 9, 9 }).unsqueeze(0), cache);
        cache.Truncate(2);

        Tensor actual = model.forward(ids.narrow(1, 2, 2), cache);

        Assert.True(actual.allclose(expected.narrow(1, 2, 2), atol: 1e-5));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(5));
    }

    [Fact]
    public void Training_FewSteps_LowersTheLoss()
    {
        using CausalLanguageModel model = MakeTiny(Tiny);
        using var optimizer = new AdamOptimizer(model.parameters(), new AdamOptions { LearningRate = 1e-2 });
        using Tensor ids = tensor(new long[] { 1, 2, 3, 4, 5, 6, 7, 8 }).unsqueeze(0);
        double first = Step(model, optimizer, ids);
        double last = first;
        for (int step = 0; step < 30; step++)
        {
            last = Step(model, optimizer, ids);
        }

        Assert.InRange(first, 2.5, 3.2);
        Assert.InRange(last, 0, first / 4);
        Assert.All(model.parameters(), parameter => Assert.NotNull(parameter.grad));
    }

    [Fact]
    public void InitializeWeights_SameSeed_GivesSameWeights()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel one = MakeTiny(Tiny);
        using CausalLanguageModel two = MakeTiny(Tiny);
        Assert.All(
            one.state_dict(), item => Assert.True(item.Value.equal(two.state_dict()[item.Key]).all().item<bool>()));
    }

    [Fact]
    public void Forward_BadIds_Throws()
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = MakeTiny(Tiny);
        using KeyValueCache cache = model.CreateCache();
        Assert.Throws<ArgumentException>(() => model.forward(ones([3], dtype: int64)));
        Assert.Throws<ArgumentException>(() => model.forward(ones([1, 3], dtype: float32)));
        Assert.Throws<ArgumentException>(() => model.forward(ones([1, 0], dtype: int64)));
        model.forward(ones([1, 2], dtype: int64), cache);
        Assert.Throws<ArgumentException>(() => model.forward(ones([2, 2], dtype: int64), cache));
    }

    [Fact]
    public void Create_BadSizes_NamesTheProperty()
    {
        Assert.Contains("KeyValueHeadCount", Assert.Throws<ArgumentOutOfRangeException>(
            () => CausalLanguageModel.Create(Tiny with { KeyValueHeadCount = 3 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => CausalLanguageModel.Create(Tiny, dtype: ScalarType.Int64));
    }

    private static CausalLanguageModel MakeTiny(ModelConfig config)
    {
        CausalLanguageModel model = CausalLanguageModel.Create(config);
        model.InitializeWeights(seed: 7);
        return model;
    }

    private static double Step(CausalLanguageModel model, AdamOptimizer optimizer, Tensor ids)
    {
        using var scope = NewDisposeScope();
        Tensor logits = model.call(ids.narrow(1, 0, ids.size(1) - 1));
        Tensor loss = functional.cross_entropy(logits.flatten(0, 1), ids.narrow(1, 1, ids.size(1) - 1).flatten());
        optimizer.ZeroGradients();
        loss.backward();
        optimizer.Step();
        return loss.item<float>();
    }

    private sealed class HookPair : IDisposable
    {
        private readonly Module<Tensor, Tensor>.HookRemover _pre;
        private readonly Module<Tensor, Tensor>.HookRemover _post;

        public HookPair(
            Module<Tensor, Tensor> first, Action<Tensor> onInput, Module<Tensor, Tensor> last, Action<Tensor> onOutput)
        {
            _pre = first.register_forward_pre_hook((_, input) =>
            {
                onInput(input);
                return input;
            });
            _post = last.register_forward_hook((_, _, output) =>
            {
                onOutput(output);
                return output;
            });
        }

        public void Dispose()
        {
            _pre.remove();
            _post.remove();
        }
    }
}
