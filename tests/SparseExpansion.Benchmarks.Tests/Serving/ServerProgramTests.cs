namespace SparseExpansion.Comparison.Serving;

public sealed class ServerProgramTests
{
    [Fact]
    public void Run_Models_LoadsThemWithTheOption()
    {
        var program = new RecordingProgram();

        (int code, string[] answers) = Run(program, "a=/x", "--engine", "fast", "b=/y");

        Assert.Equal(0, code);
        Assert.Equal(["/x fast", "/y fast"], program.Loaded);
        Assert.Equal(["ready", "about me"], answers);
    }

    [Theory]
    [InlineData("error: --engine needs a value.", "a=/x", "--engine")]
    [InlineData("error: damaged: it is damaged", "a=damaged")]
    public void Run_WhatCannotBeLoaded_SaysWhyInOneLine(string expected, params string[] args)
    {
        (int code, string[] answers) = Run(new RecordingProgram(), args);

        Assert.Equal(1, code);
        Assert.Equal([expected], answers);
    }

    private static (int Code, string[] Answers) Run(ServerProgram program, params string[] args)
    {
        using var answers = new StringWriter();
        using var requests = new StringReader("info");
        int code = program.Run(args, requests, answers);
        return (code, answers.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    private sealed class RecordingProgram() : ServerProgram("--engine")
    {
        public List<string> Loaded { get; } = [];

        protected override IServedModel Load(string path, string? option)
        {
            Loaded.Add($"{path} {option}");
            return path == "damaged" ? throw new SparseExpansionException($"{path}: it is\ndamaged") : new RecordingModel();
        }

        protected override string Describe() => "about me";
    }
}
