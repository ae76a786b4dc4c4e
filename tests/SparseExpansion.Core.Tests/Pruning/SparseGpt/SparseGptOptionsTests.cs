using SparseExpansion.Quantization;

namespace SparseExpansion.Pruning.SparseGpt;

public sealed class SparseGptOptionsTests
{
    [Fact]
    public void Defaults_AreThoseDocumented() =>
        Assert.Equal(new SparseGptOptions { Damping = 0.01, DampingIncrease = 10, MaxDamping = 1, BlockSize = 128, Quantization = null }, new SparseGptOptions());

    [Fact]
    public void Validate_OutOfRange_NamesTheProperty()
    {
        AssertRefused(new SparseGptOptions { Damping = 0 }, nameof(SparseGptOptions.Damping));
        AssertRefused(new SparseGptOptions { Damping = double.NaN }, nameof(SparseGptOptions.Damping));
        AssertRefused(new SparseGptOptions { Damping = double.PositiveInfinity, MaxDamping = double.PositiveInfinity }, nameof(SparseGptOptions.Damping));
        AssertRefused(new SparseGptOptions { DampingIncrease = 1 }, nameof(SparseGptOptions.DampingIncrease));
        AssertRefused(new SparseGptOptions { DampingIncrease = double.PositiveInfinity }, nameof(SparseGptOptions.DampingIncrease));
        AssertRefused(new SparseGptOptions { MaxDamping = 0.001 }, nameof(SparseGptOptions.MaxDamping));
        AssertRefused(new SparseGptOptions { MaxDamping = double.PositiveInfinity }, nameof(SparseGptOptions.MaxDamping));
        AssertRefused(new SparseGptOptions { BlockSize = 0 }, nameof(SparseGptOptions.BlockSize));
        AssertRefused(new SparseGptOptions { BlockSize = 4097 }, nameof(SparseGptOptions.BlockSize));
        AssertRefused(new SparseGptOptions { BlockSize = 64, Quantization = new WeightQuantization { GroupSize = 128 } }, nameof(SparseGptOptions.BlockSize));
        AssertRefused(new SparseGptOptions { Quantization = new WeightQuantization { Bits = 5 } }, nameof(WeightQuantization.Bits));
    }

    [Fact]
    public void Validate_AtTheBorders_Accepts()
    {
        new SparseGptOptions { Damping = 0.5, DampingIncrease = 2, MaxDamping = 0.5, BlockSize = 1 }.Validate();
        new SparseGptOptions { Damping = double.Epsilon, BlockSize = 4096, Quantization = new WeightQuantization { GroupSize = 128 } }.Validate();
        new SparseGptOptions { BlockSize = 7, Quantization = new WeightQuantization { GroupSize = null } }.Validate();
    }

    private static void AssertRefused(SparseGptOptions options, string property) =>
        Assert.Equal(property, Assert.Throws<ArgumentOutOfRangeException>(() => new SparseGptSparsifier(options)).ParamName);
}
