using SparseExpansion.Execution.LowBit.Paths;

namespace SparseExpansion.Inference.Loading;

/// <summary>The form that experts get.</summary>
public sealed class ExpertFormsTests
{
    [Theory]
    [InlineData(ExpertForm.Auto, "Avx512Vbmi2", 10, false)]
    [InlineData(ExpertForm.Auto, "Avx512", 10, true)]
    [InlineData(ExpertForm.Auto, "Avx2", 50, true)]
    [InlineData(ExpertForm.Auto, "Avx2", 51, false)]
    [InlineData(ExpertForm.Auto, "Portable", 10, false)]
    [InlineData(ExpertForm.Bitmask, "Avx2", 10, false)]
    [InlineData(ExpertForm.Dense, "Avx512Vbmi2", 1000, true)]
    public void IsDense_OfTheOptions_FollowsThemThenTheProcessorThenMemory(
        ExpertForm form, string path, long bytes, bool expected) =>
        Assert.Equal(
            expected,
            ExpertForms.IsDense(new InferenceOptions { Experts = form }, bytes, Enum.Parse<LowBitPath>(path), available: 100));

    [Fact]
    public void IsDense_OfTokensThatAreNotRounded_IsFalse() =>
        Assert.False(ExpertForms.IsDense(
            new InferenceOptions { Activations = ActivationPrecision.Float32 }, 1, LowBitPath.Avx2, 100));
}
