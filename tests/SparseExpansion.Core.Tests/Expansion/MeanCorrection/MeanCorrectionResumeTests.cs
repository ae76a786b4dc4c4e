using SparseExpansion.Expansion.Checkpoints;

namespace SparseExpansion.Expansion.MeanCorrection;

/// <summary>Biases of experts are stored with finished blocks.</summary>
public sealed class MeanCorrectionResumeTests : ResumeTestBase
{
    [Fact]
    public void Resume_AfterAnEndInEveryBlock_GivesTheSameFiles() =>
        AssertSameFiles(model => Configure(model).CorrectMeans(), 1, 2);
}
