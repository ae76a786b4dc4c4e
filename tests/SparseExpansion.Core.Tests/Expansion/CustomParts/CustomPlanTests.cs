using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Routers;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>
/// Pruners, statistics and routers of others are planned for and resumed as those of the library are.
/// </summary>
public sealed class CustomPlanTests : ResumeTestBase
{
    [Fact]
    public void Plan_PrunerThatTells_CountsItsBytesAndWork()
    {
        MemoryStage small = Stage("pruning", new SizedPruner { Bytes = 1L << 30 }),
            large = Stage("pruning", new SizedPruner { Bytes = 3L << 30, Work = 1e14 });

        Assert.Equal(2L << 30, large.Bytes - small.Bytes);
        Assert.True(large.Seconds > 1_000 * small.Seconds); // Speeds are measured anew, within a factor of ten.
    }

    [Fact]
    public void Plan_StatisticThatTells_CountsOneForEachExpertAndOneForTheLayer() => Assert.Equal(
        3 * 1_000,
        Stage("pruning", new SizedPruner { StatisticBytes = 1_000 }).Bytes - Stage("pruning", new SizedPruner()).Bytes);

    [Fact]
    public void Plan_TrainerThatTells_CountsItsExpertsBytesAndWork()
    {
        SideTrainer tells = new() { MostExperts = 7, Bytes = 1L << 30, Work = 1e14 };
        MemoryStage small = Stage("routing", new SizedPruner()), large = Stage("routing", new SizedPruner(), tells);

        Assert.Equal(1L << 30, large.Bytes - small.Bytes);
        Assert.True(large.Seconds > 1_000 * small.Seconds);
        Assert.Equal(7, Plan(new SizedPruner(), tells).ExpertsAtOnce);
    }

    [Fact]
    public void Run_PrunerThatRounds_IsRefusedWhereWeightsWouldMove()
    {
        using GatedModel model = NewModel();
        var rounds = new SizedPruner { RoundsWeights = true };

        Assert.Throws<ArgumentException>(() => rounds.WithRefit());
        Assert.Contains("grid", Assert.Throws<InvalidOperationException>(
            () => Configure(model).PruneWith(rounds, SparsityTarget.Unstructured(0.5)).FineTune().Run()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Resume_CustomParts_GivesTheSameFiles(int stop)
    {
        Dictionary<string, string> expected = SavedFiles("plain", model => Custom(model, new SizedPruner()));
        EndAt(Folder.File("partial"), model => Custom(model, new SizedPruner()), stop);

        Assert.Equal(expected, SavedFiles("resumed", model => Resumed(model, new SizedPruner())));
    }

    [Fact]
    public void Resume_OtherOptionsOfACustomPruner_AreNamed()
    {
        EndAt(Folder.File("partial"), model => Custom(model, new SizedPruner()), block: 1);
        using GatedModel model = NewModel();

        var error = Assert.Throws<OtherExpansionException>(() => Resumed(model, new SizedPruner { Bytes = 77 }).Run());

        Assert.Equal(new SettingDifference("options of the pruner", "sized of 1024 bytes", "sized of 77 bytes"), Assert.Single(error.Differences));
    }

    private ExpansionBuilder<GatedModel> Custom(GatedModel model, SizedPruner pruner, SideTrainer? trainer = null) =>
        Configure(model).RouteWith(trainer ?? new SideTrainer()).PruneWith(pruner, SparsityTarget.Unstructured(0.5));

    private ExpansionBuilder<GatedModel> Resumed(GatedModel model, SizedPruner pruner) => Custom(model, pruner)
        .ResumeFrom(Open(Folder.File("partial")), RouterKinds.Default.With(SideRouter.Kind, SideRouter.FromState));

    private ExpansionMemoryPlan Plan(SizedPruner pruner, SideTrainer? trainer = null)
    {
        using GatedModel model = NewModel();
        return Custom(model, pruner, trainer).PlanMemory();
    }

    private MemoryStage Stage(string name, SizedPruner pruner, SideTrainer? trainer = null) =>
        Plan(pruner, trainer).Stages.Single(stage => stage.Name == name);
}
