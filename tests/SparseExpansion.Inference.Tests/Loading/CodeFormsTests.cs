using SparseExpansion.Execution.LowBit.Paths;

namespace SparseExpansion.Inference.Loading;

/// <summary>The form that weights in codes get.</summary>
public sealed class CodeFormsTests
{
    [Theory]
    [InlineData(CodeForm.Auto, true, "Avx512Vbmi2", false)]
    [InlineData(CodeForm.Auto, false, "Avx512Vbmi2", true)]
    [InlineData(CodeForm.Auto, true, "Avx512", true)]
    [InlineData(CodeForm.Auto, true, "Avx2", true)]
    [InlineData(CodeForm.Auto, false, "Portable", false)]
    [InlineData(CodeForm.Stored, false, "Avx2", false)]
    [InlineData(CodeForm.Rearranged, true, "Avx512Vbmi2", true)]
    public void IsWanted_OfTheOptions_FollowsThemThenTheProcessor(CodeForm form, bool hasMasks, string path, bool expected) =>
        Assert.Equal(
            expected,
            CodeForms.IsWanted(new InferenceOptions { Codes = form }, hasMasks, Enum.Parse<LowBitPath>(path)));

    [Fact]
    public void IsWanted_OfTokensThatAreNotRounded_IsFalse() =>
        Assert.False(CodeForms.IsWanted(
            new InferenceOptions { Activations = ActivationPrecision.Float32 }, hasMasks: false, LowBitPath.Avx2));

    [Fact]
    public void Validate_FormsThatDoNotFit_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new InferenceOptions { Codes = (CodeForm)7 }.Validate());
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => new InferenceOptions { Codes = CodeForm.Rearranged, Activations = ActivationPrecision.Float32 }.Validate());
        Assert.Contains("Stored", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fits_MoreThanHalfOfTheMemory_IsFalse()
    {
        Assert.True(CodeForms.Fits(50, 100));
        Assert.False(CodeForms.Fits(51, 100));
    }
}
