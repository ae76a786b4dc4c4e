namespace SparseExpansion.Models;

public sealed class GenerationOptionsTests
{
    [Theory]
    [InlineData(3, double.NaN)]
    [InlineData(3, double.PositiveInfinity)]
    [InlineData(-1, 0.5)]
    public void Validate_BadLogitBias_NamesTheId(int id, double added)
    {
        var options = new GenerationOptions { LogitBias = new Dictionary<int, double> { [2] = 1, [id] = added } };

        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(options.Validate);

        Assert.Equal("LogitBias", error.ParamName);
        Assert.Contains("numbers or minus infinity", error.Message, StringComparison.Ordinal);
        Assert.Contains($"for the id {id}.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_MinusInfinityAsBias_IsAllowed() =>
        new GenerationOptions { LogitBias = new Dictionary<int, double> { [0] = double.NegativeInfinity } }.Validate();

    [Fact]
    public void Validate_NegativeNumberOfLogProbabilities_NamesTheProperty() =>
        Assert.Contains(
            "TopLogProbabilities",
            Assert.Throws<ArgumentOutOfRangeException>(new GenerationOptions { TopLogProbabilities = -1 }.Validate).Message,
            StringComparison.Ordinal);
}
