using System.Globalization;
using System.Text.Json;

namespace SparseExpansion.Cli.Expand;

public sealed class MemoryTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public void DryRun_Json_GivesThePlanAndWritesNothing()
    {
        string[] before = _tiny.Entries();

        JsonElement plan = Expand().With("--dry-run").With("--memory-budget", "8GiB").With("--json").Run().Json();

        Assert.Equal(8L << 30, plan.GetProperty("budgetBytes").GetInt64());
        Assert.True(plan.GetProperty("fits").GetBoolean());
        Assert.True(plan.GetProperty("peakBytes").GetInt64() > 0);
        Assert.Contains(plan.GetProperty("stages").EnumerateArray(), stage => stage.GetProperty("name").GetString() == "pruning");
        Assert.Equal(before, _tiny.Entries());
    }

    [Fact]
    public void Expand_BudgetThatNothingFits_SaysWhatWould()
    {
        Expand().With("--memory-budget", "16M").Run().AssertRefused("--memory-budget 16 MiB", "raise the budget to");
        ToolRun dry = Expand().With("--memory-budget", "16M").With("--dry-run").Run();
        Assert.Equal(1, dry.ExitCode);
        Assert.Contains("does not fit", dry.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Expand_WithABudget_GivesTheSameExpertsAndLeavesNothingElse()
    {
        Assert.Equal(0, Expand().With("--output", _tiny.Path("free")).Run().ExitCode);
        string[] before = _tiny.Entries();

        JsonElement plan = Expand().With("--dry-run").With("--memory-budget", "8GiB").With("--json").Run().Json();
        string least = plan.GetProperty("leastBytes").GetInt64().ToString(CultureInfo.InvariantCulture);
        JsonElement tight = Expand().With("--dry-run").With("--memory-budget", least).With("--json").Run().Json();
        Assert.Equal((true, true), (tight.GetProperty("fits").GetBoolean(), tight.GetProperty("spillsActivations").GetBoolean()));

        ToolRun run = Expand().With("--memory-budget", least).Run();

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(["expanded"], _tiny.Entries().Except(before));
        Assert.Equal(File.ReadAllBytes(Path.Combine(_tiny.Path("free"), "experts.safetensors")), File.ReadAllBytes(Path.Combine(_tiny.Output, "experts.safetensors")));
    }

    [Fact]
    public void DryRun_DType_CountsItsBytes()
    {
        long wide = Resident("float32"), narrow = Resident("bfloat16");
        Assert.True(narrow < wide, $"{narrow} against {wide}");

        long Resident(string dtype) => Expand().With("--dry-run").With("--dtype", dtype).With("--json").Run().Json().GetProperty("residentBytes").GetInt64();
    }

    [Theory]
    [InlineData("much")]
    [InlineData("0")]
    [InlineData("-1GiB")]
    [InlineData("8 GiBs")]
    [InlineData("1e30T")]
    public void Expand_BudgetThatIsNoSize_SaysHowToWriteIt(string size) =>
        Expand().With("--memory-budget", size).Run().AssertRefused("--memory-budget", "8GiB");

    private CommandLine Expand() => _tiny.Command("expand");
}
