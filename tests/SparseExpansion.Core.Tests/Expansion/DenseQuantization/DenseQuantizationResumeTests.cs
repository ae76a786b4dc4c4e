using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.FineTuning;

namespace SparseExpansion.Expansion.DenseQuantization;

public sealed class DenseQuantizationResumeTests : ResumeTestBase
{
    [Fact]
    public void Resume_AfterEveryBlock_GivesTheSameFiles() =>
        AssertSameFiles(model => WithMethod(model.Expand().Blocks(m => m.blocks).Targets("*.down")).QuantizeDense(), 1, 2);

    [Fact]
    public void Resume_WithTheDenseModelBeside_GivesTheSameFiles() => AssertSameFiles(
        model => WithMethod(model.Expand().Blocks(m => m.blocks).Targets("*.down")).QuantizeDense().CompensateErrors()
            .FineTune(new FineTuningOptions { Steps = 5, HoldOut = 0.25 }),
        1, 2);

    [Fact]
    public void Resume_TargetsInTheFirstBlock_GivesTheSameFiles() =>
        AssertSameFiles(model => WithMethod(model.Expand().Blocks(m => m.blocks).Targets("blocks.0.*")).QuantizeDense(), 1, 2);
}
