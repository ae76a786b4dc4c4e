using System.Globalization;

namespace SparseExpansion.Comparison.Serving;

public sealed class ServerLoopTests
{
    [Fact]
    public void Run_Requests_AnswersEachByALine()
    {
        string[] answers = Run(new RecordingModel(), "info", "decode m 3", "prefill m 8", "memory");

        Assert.Equal(["ready", "about me"], answers[..2]);
        Assert.Equal(5, answers.Length);
        Assert.All(answers[2..], answer => Assert.True(double.Parse(answer, CultureInfo.InvariantCulture) > 0));
        Assert.InRange(double.Parse(answers[4], CultureInfo.InvariantCulture), 1e6, 1e12);
    }

    [Fact]
    public void Run_WrongRequests_GoesOn()
    {
        string[] answers = Run(new RecordingModel(), "nonsense", "decode n 3", "info", "quit", "info");

        Assert.StartsWith("error: 'nonsense' is no request.", answers[1], StringComparison.Ordinal);
        Assert.Equal("error: There is no model 'n'; there are m.", answers[2]);
        Assert.Equal("about me", answers[3]);
        Assert.Equal(4, answers.Length);
    }

    [Fact]
    public void Run_LogitThatIsNotFinite_IsAnError()
    {
        string[] answers = Run(new RecordingModel(float.NaN), "prefill m 8");

        Assert.Equal("error: A logit is NaN: the model's weights are too large to be measured.", answers[1]);
    }

    [Fact]
    public void Decode_ReadsOneTokenAtATimeBehindAPrompt()
    {
        var model = new RecordingModel();

        new SpeedMeter(320).Decode(model, 40);

        Assert.Equal([0, 32, .. Enumerable.Repeat(1, 44)], model.Passes);
        Assert.All(model.Tokens, token => Assert.InRange(token, 80, 319));
        Assert.True(model.Tokens.Count > 40);
    }

    [Fact]
    public void Prefill_ReadsAllTokensAtOnce()
    {
        var model = new RecordingModel();

        new SpeedMeter(320).Prefill(model, 40);

        Assert.Equal([0, 40], model.Passes);
    }

    private static string[] Run(IServedModel model, params string[] requests)
    {
        using var answers = new StringWriter();
        using var lines = new StringReader(string.Join('\n', requests));
        new ServerLoop(new Dictionary<string, IServedModel> { ["m"] = model }, "about me", new SpeedMeter(320))
            .Run(lines, answers);
        return answers.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
