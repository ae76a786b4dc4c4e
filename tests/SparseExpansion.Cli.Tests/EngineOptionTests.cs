using System.CommandLine;
using SparseExpansion.Cli.Options;
using SparseExpansion.Inference;

namespace SparseExpansion.Cli;

public sealed class EngineOptionTests
{
    [Theory]
    [InlineData("auto", CodeForm.Auto)]
    [InlineData("stored", CodeForm.Stored)]
    [InlineData("rearranged", CodeForm.Rearranged)]
    public void Inference_OfEachName_HasThatForm(string name, CodeForm expected)
    {
        var option = new EngineOption();
        var command = new RootCommand();
        option.AddTo(command);

        Assert.Equal(expected, option.Inference(command.Parse(["--engine", "managed", "--codes", name])).Codes);
    }
}
