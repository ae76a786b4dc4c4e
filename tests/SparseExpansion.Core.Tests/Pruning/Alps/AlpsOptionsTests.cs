namespace SparseExpansion.Pruning;

public sealed class AlpsOptionsTests
{
    [Fact]
    public void Validate_OutOfRange_NamesTheProperty()
    {
        AssertRefused(new AlpsOptions { Damping = 0 }, nameof(AlpsOptions.Damping));
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

    private static void AssertRefused(AlpsOptions options, string property) =>
        Assert.Equal(property, Assert.Throws<ArgumentOutOfRangeException>(() => new AlpsSparsifier(options)).ParamName);
}
