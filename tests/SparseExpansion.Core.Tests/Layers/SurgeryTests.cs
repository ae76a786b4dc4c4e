using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers.Surgery;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

public sealed class SurgeryTests
{
    private const int Width = 4;

    [Fact]
    public void FindLinears_AllKindsOfPlaces_AreFoundByPath()
    {
        using var model = new AllPlaces();

        Assert.Equal(
            ["fixed_linear", "free", "items.0", "items.1", "layers.a", "layers.c"],
            SlotFinder.FindLinears(model).Select(slot => slot.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("fixed_linear")]
    [InlineData("free")]
    [InlineData("items.1")]
    [InlineData("layers.c")]
    public void Install_ThenRestore_ChangesTheModelAndGivesItBack(string place)
    {
        using var scope = NewDisposeScope();
        using var model = new AllPlaces();
        Tensor input = randn(3, Width);
        Tensor dense = model.call(input);
        string[] names = [.. model.state_dict().Keys];
        ModuleSlot slot = SlotFinder.FindLinears(model).Single(slot => slot.Name == place);
        Tensor weight = randn(Width, Width);
        SparseMixtureLayer mixture = new(place, new ParityRouter(2, Width), [weight, weight]);

        slot.Install(mixture);
        Tensor expanded = model.call(input);
        var linear = (Linear)slot.Dense;
        Tensor oldWeight = linear.weight!.clone(), oldBias = linear.bias!.clone();
        bool mixtureIsListed = model.state_dict().Keys.Any(name => name.StartsWith(place, StringComparison.Ordinal) && name.EndsWith("experts.weight", StringComparison.Ordinal));
        slot.Restore();
        Tensor restored = model.call(input);
        using (no_grad())
        {
            linear.weight!.copy_(weight);
            linear.bias!.zero_();
        }

        Tensor expected = model.call(input);

        Assert.True(mixtureIsListed);
        Assert.True(expected.allclose(expanded, atol: 1e-6));
        Assert.True(TensorChecks.Equal(dense, restored));
        Assert.Equal(names, model.state_dict().Keys);
    }

    [Fact]
    public void ReleaseDense_OfALinearField_FreesTheWeightAndKeepsWorking()
    {
        using var scope = NewDisposeScope();
        using var model = new AllPlaces();
        ModuleSlot slot = SlotFinder.FindLinears(model).Single(slot => slot.Name == "fixed_linear");
        SparseMixtureLayer mixture = new("fixed_linear", new ParityRouter(1, Width), [eye(Width)]);
        slot.Install(mixture);
        Tensor input = randn(3, Width);
        Tensor before = model.call(input);

        slot.ReleaseDense();

        Assert.True(TensorChecks.Equal(before, model.call(input)));
        Assert.Equal(0, ((Linear)slot.Dense).weight!.numel());
    }

    [Fact]
    public void Install_FieldOfAPartThatIsNotRegistered_ThePartUsesTheMixture()
    {
        using var scope = NewDisposeScope();
        using var model = new WithUnregisteredPart();
        Tensor input = randn(3, Width);
        Tensor dense = model.call(input);
        ModuleSlot slot = Assert.Single(SlotFinder.FindLinears(model));
        SparseMixtureLayer mixture = new("inner", new ParityRouter(1, Width), [eye(Width)]);

        slot.Install(mixture);
        Tensor expanded = model.call(input);
        bool isListed = model.state_dict().ContainsKey("inner.experts.weight");
        slot.Restore();

        Assert.Equal("inner", slot.Name);
        Assert.IsType<ReplacingSlot>(slot);
        Assert.True(isListed);
        Assert.True(expanded.allclose(input, atol: 1e-6));
        Assert.True(TensorChecks.Equal(dense, model.call(input)));
        Assert.Equal(["inner.weight", "inner.bias"], model.state_dict().Keys);
    }

    /// <summary>Lists the linear of its part as its own, so that the names have no level for the part.</summary>
    private sealed class WithUnregisteredPart : nn.Module<Tensor, Tensor>
    {
        private readonly Part part;

        public WithUnregisteredPart()
            : base(nameof(WithUnregisteredPart)) => part = new Part(this);

        public override Tensor forward(Tensor input) => part.call(input);

        protected override void RegisterComponents()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                part.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    private sealed class Part : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> inner = nn.Linear(Width, Width);

        public Part(nn.Module owner)
            : base(nameof(Part)) => owner.register_module("inner", inner);

        public override Tensor forward(Tensor input) => inner.call(input);

        protected override void RegisterComponents()
        {
        }
    }

    private sealed class AllPlaces : nn.Module<Tensor, Tensor>
    {
        private readonly Linear fixed_linear = nn.Linear(Width, Width);
        private readonly nn.Module<Tensor, Tensor> free = nn.Linear(Width, Width);
        private readonly Sequential layers = nn.Sequential(("a", nn.Linear(Width, Width)), ("b", nn.Tanh()), ("c", nn.Linear(Width, Width)));
        private readonly ModuleList<nn.Module<Tensor, Tensor>> items = nn.ModuleList<nn.Module<Tensor, Tensor>>(nn.Linear(Width, Width), nn.Linear(Width, Width));

        public AllPlaces()
            : base(nameof(AllPlaces)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            Tensor hidden = layers.call(free.call(fixed_linear.call(input)));
            foreach (nn.Module<Tensor, Tensor> item in items)
            {
                hidden = item.call(hidden);
            }

            return hidden.MoveToOuterDisposeScope();
        }
    }
}
