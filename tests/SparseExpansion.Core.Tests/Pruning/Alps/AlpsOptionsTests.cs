namespace SparseExpansion.Pruning.Alps;

public sealed class AlpsOptionsTests
{
    [Fact]
    public void Defaults_AreThoseDocumented() => Assert.Equal(
        new AlpsOptions
        {
            Damping = 0.01,
            DampingIncrease = 10,
            MaxDamping = 1,
            Penalty = 0.1,
            PenaltyIncrease = 1.2,
            PenaltyInterval = 2,
            MaxIterations = 200,
            SettledShare = 0.01,
            ReducedPrecision = true,
            RefitTolerance = 1e-4,
            MaxRefitIterations = 60,
        },
        new AlpsOptions());

    [Fact]
    public void Validate_OutOfRange_NamesTheProperty()
    {
        AssertRefused(new AlpsOptions { Damping = 0 }, nameof(AlpsOptions.Damping));
        AssertRefused(new AlpsOptions { Damping = double.PositiveInfinity, MaxDamping = double.PositiveInfinity }, nameof(AlpsOptions.Damping));
        AssertRefused(new AlpsOptions { DampingIncrease = double.PositiveInfinity }, nameof(AlpsOptions.DampingIncrease));
        AssertRefused(new AlpsOptions { MaxDamping = double.PositiveInfinity }, nameof(AlpsOptions.MaxDamping));
        AssertRefused(new AlpsOptions { Penalty = 0 }, nameof(AlpsOptions.Penalty));
        AssertRefused(new AlpsOptions { PenaltyIncrease = 1.1e6 }, nameof(AlpsOptions.PenaltyIncrease));
        AssertRefused(new AlpsOptions { RefitTolerance = 0 }, nameof(AlpsOptions.RefitTolerance));
        AssertRefused(new AlpsOptions { SettledShare = -0.01 }, nameof(AlpsOptions.SettledShare));
        AssertRefused(new AlpsOptions { DampingIncrease = 1 }, nameof(AlpsOptions.DampingIncrease));
        AssertRefused(new AlpsOptions { MaxDamping = 0.001 }, nameof(AlpsOptions.MaxDamping));
        AssertRefused(new AlpsOptions { Penalty = double.NaN }, nameof(AlpsOptions.Penalty));
        AssertRefused(new AlpsOptions { PenaltyIncrease = 1 }, nameof(AlpsOptions.PenaltyIncrease));
        AssertRefused(new AlpsOptions { PenaltyInterval = 0 }, nameof(AlpsOptions.PenaltyInterval));
        AssertRefused(new AlpsOptions { MaxIterations = 0 }, nameof(AlpsOptions.MaxIterations));
        AssertRefused(new AlpsOptions { SettledShare = 1 }, nameof(AlpsOptions.SettledShare));
        AssertRefused(new AlpsOptions { SettledShare = double.NaN }, nameof(AlpsOptions.SettledShare));
        AssertRefused(new AlpsOptions { RefitTolerance = 1 }, nameof(AlpsOptions.RefitTolerance));
        AssertRefused(new AlpsOptions { MaxRefitIterations = -1 }, nameof(AlpsOptions.MaxRefitIterations));
    }

    [Fact]
    public void Validate_AtTheBorders_Accepts()
    {
        new AlpsOptions
        {
            Damping = 0.5,
            DampingIncrease = 2,
            MaxDamping = 0.5,
            Penalty = double.Epsilon,
            PenaltyIncrease = 1e6,
            PenaltyInterval = 1,
            MaxIterations = 1,
            SettledShare = 0,
            RefitTolerance = double.Epsilon,
            MaxRefitIterations = 0,
        }.Validate();
        new AlpsOptions { PenaltyIncrease = Math.BitIncrement(1), SettledShare = Math.BitDecrement(1), RefitTolerance = Math.BitDecrement(1) }.Validate();
    }

    private static void AssertRefused(AlpsOptions options, string property) =>
        Assert.Equal(property, Assert.Throws<ArgumentOutOfRangeException>(() => new AlpsSparsifier(options)).ParamName);
}
