namespace SparseExpansion.Comparison.Serving;

public sealed class ServerArgumentsTests
{
    [Fact]
    public void Parse_ModelsAndOption_ReadsBoth()
    {
        ServerArguments arguments = ServerArguments.Parse(["a=/x=y", "--engine", "torch", "b=z"], "--engine");

        Assert.Equal(new Dictionary<string, string> { ["a"] = "/x=y", ["b"] = "z" }, arguments.Models);
        Assert.Equal("torch", arguments.Option);
    }

    [Theory]
    [InlineData("There is no model: give NAME=PATH for each, and --engine VALUE.")]
    [InlineData("--engine needs a value.", "a=b", "--engine")]
    [InlineData("'a' is no model that is new: give NAME=PATH for each, and --engine VALUE.", "a")]
    [InlineData("'=b' is no model that is new: give NAME=PATH for each, and --engine VALUE.", "=b")]
    [InlineData("'a=c' is no model that is new: give NAME=PATH for each, and --engine VALUE.", "a=b", "a=c")]
    [InlineData("'--library' is no model that is new: give NAME=PATH for each, and --engine VALUE.", "--library", "avx2")]
    public void Parse_WrongWords_Throws(string message, params string[] args)
    {
        FormatException error = Assert.Throws<FormatException>(() => ServerArguments.Parse(args, "--engine"));

        Assert.Equal(message, error.Message);
    }
}
