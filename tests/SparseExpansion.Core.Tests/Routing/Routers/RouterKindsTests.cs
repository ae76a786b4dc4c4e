using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

public sealed class RouterKindsTests
{
    public static TheoryData<string> Kinds => [.. RouterKinds.Default.Names];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Restore_StateOfARouter_RoutesAlike(string kind)
    {
        using var scope = NewDisposeScope();
        ICheckpointRouter router = Create(kind);
        RouterState state = router.GetState();
        Assert.Equal(kind, state.Kind);
        RouterState copy = new(state.Kind, state.InputFeatures, state.ExpertCount, state.Tensors.ToDictionary(entry => entry.Key, entry => entry.Value.clone()));
        using IRouter restored = RouterKinds.Default.Restore(copy);
        foreach (Tensor tensor in copy.Tensors.Values)
        {
            tensor.Dispose(); // The router must have made its own copy.
        }

        Tensor tokens = randn(100, 5);
        Assert.Equal(router.Route(tokens).data<long>().ToArray(), restored.Route(tokens).data<long>().ToArray());
        router.Dispose();
    }

    [Fact]
    public void Names_OfDefault_AreFixed() => Assert.Equal(["linear", "random", "single"], RouterKinds.Default.Names);

    [Fact]
    public void With_CustomKind_RestoresIt_AndLeavesTheOldRegistryAlone()
    {
        RouterKinds kinds = RouterKinds.Default.With("mine", state => new SingleExpertRouter(state.InputFeatures));
        var state = new RouterState("mine", 7, 1, new Dictionary<string, Tensor>());
        using IRouter router = kinds.Restore(state);
        Assert.Equal(7, router.InputFeatures);
        var error = Assert.Throws<CheckpointException>(() => RouterKinds.Default.Restore(state));
        Assert.Contains("'mine'", error.Message, StringComparison.Ordinal);
        Assert.Contains("linear, random, single", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_KindThatWasAdded_ExchangesIt()
    {
        var state = new RouterState("mine", 7, 1, new Dictionary<string, Tensor>());
        RouterKinds kinds = RouterKinds.Default.With("mine", _ => throw new NotSupportedException()).With("mine", of => new SingleExpertRouter(of.InputFeatures));
        using IRouter router = kinds.Restore(state);
    }

    [Fact]
    public void Restore_FunctionThatFailsOrReturnsNull_NamesTheKind()
    {
        var state = new RouterState("mine", 7, 3, new Dictionary<string, Tensor>());
        var failed = Assert.Throws<CheckpointException>(() => RouterKinds.Default.With("mine", _ => throw new InvalidDataException("no planes\nstack")).Restore(state));
        Assert.Equal("A router of kind 'mine' with 7 inputs and 3 experts could not be restored: no planes", failed.Message);
        Assert.IsType<InvalidDataException>(failed.InnerException);
        var none = Assert.Throws<CheckpointException>(() => RouterKinds.Default.With("mine", _ => null!).Restore(state));
        Assert.Contains("'mine' returned null", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_StateThatDoesNotFit_SaysWhat()
    {
        using var scope = NewDisposeScope();
        var state = new RouterState("linear", 5, 3, new Dictionary<string, Tensor> { ["weight"] = zeros(3, 5) });
        Assert.Contains("'bias'", Assert.Throws<CheckpointException>(() => RouterKinds.Default.Restore(state)).Message, StringComparison.Ordinal);
        string message = Assert.Throws<CheckpointException>(() => RouterKinds.Default.Restore(new RouterState("linear", 6, 3, state.Tensors))).Message;
        Assert.Contains("[3, 6]", message, StringComparison.Ordinal);
        Assert.Contains("[3, 5]", message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => RouterKinds.Default.Restore(new RouterState("single", 5, 2, state.Tensors)));
    }

    [Fact]
    public void With_BadArguments_Throw()
    {
        Assert.Throws<ArgumentException>(() => RouterKinds.Default.With(" ", state => new SingleExpertRouter(1)));
        Assert.Throws<ArgumentNullException>(() => RouterKinds.Default.With("mine", null!));
        Assert.All(RouterKinds.Default.Names, name => Assert.Contains(
            $"The router kind '{name}' belongs to this library", Assert.Throws<ArgumentException>(() => RouterKinds.Default.With(name, state => new SingleExpertRouter(1))).Message, StringComparison.Ordinal));
        Assert.Throws<ArgumentNullException>(() => RouterKinds.Default.Restore(null!));
    }

    [Fact]
    public void Restore_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        foreach (string kind in RouterKinds.Default.Names)
        {
            using ICheckpointRouter router = Create(kind);
            RouterKinds.Default.Restore(router.GetState()).Dispose();
        }
    });

    private static ICheckpointRouter Create(string kind)
    {
        using var scope = NewDisposeScope();
        return kind switch
        {
            "linear" => new LinearRouter(randn(3, 5), randn(3)),
            "random" => new RandomRouter(5, 3, 11),
            "single" => new SingleExpertRouter(5),
            _ => throw new ArgumentException($"No example of '{kind}'."),
        };
    }
}
